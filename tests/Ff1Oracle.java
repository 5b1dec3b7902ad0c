import java.util.Scanner;
import org.bouncycastle.crypto.fpe.FPEFF1Engine;
import org.bouncycastle.crypto.params.FPEParameters;
import org.bouncycastle.crypto.params.KeyParameter;
import org.bouncycastle.util.encoders.Hex;

/** Reads lines "key radix tweak numeral numeral ..." and writes what Bouncy Castle's FF1 makes of them. */
public class Ff1Oracle {
    public static void main(String[] arguments) {
        Scanner lines = new Scanner(System.in);
        while (lines.hasNextLine()) {
            System.out.println(encrypt(lines.nextLine().trim().split(" ")));
        }
    }

    static String encrypt(String[] words) {
        int radix = Integer.parseInt(words[1]);
        int width = radix > 256 ? 2 : 1; // Bouncy Castle takes wide numerals as two bytes each
        byte[] tweak = words[2].equals("-") ? new byte[0] : Hex.decode(words[2]);
        byte[] data = new byte[(words.length - 3) * width];
        for (int i = 3; i < words.length; i++) {
            int numeral = Integer.parseInt(words[i]);
            for (int j = 0; j < width; j++) {
                data[(i - 3) * width + j] = (byte) (numeral >> 8 * (width - 1 - j));
            }
        }
        FPEFF1Engine engine = new FPEFF1Engine();
        engine.init(true, new FPEParameters(new KeyParameter(Hex.decode(words[0])), radix, tweak));
        byte[] made = new byte[data.length];
        engine.processBlock(data, 0, data.length, made, 0);
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < made.length; i += width) {
            int numeral = made[i] & 255;
            line.append(width == 1 ? numeral : numeral << 8 | made[i + 1] & 255).append(' ');
        }
        return line.toString().trim();
    }
}
