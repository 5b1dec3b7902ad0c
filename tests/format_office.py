# ruff: noqa: E501
"""Office documents for tests: made by hand, with a string in every place that can hold one."""

import base64
import io
import re
import zipfile

import format_tables

NAME, SSN, AUTHOR = "Ann Lee", "536-90-4399", "Maria Gonzalez"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = "application/vnd.openxmlformats-officedocument.wordprocessingml."
SPACES = (
    f'xmlns:w="{W}" xmlns:r="{R}" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture" '
    'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" '
    'xmlns:w15="http://schemas.microsoft.com/office/word/2012/wordml" mc:Ignorable="w14 w15"'
)
DAY = 'w:date="2024-03-05T10:00:00Z"'
BODY = f"""
<w:p w:rsidR="00A1B2C3"><w:r><w:t xml:space="preserve">Seen by A</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>nn L</w:t></w:r>
<w:r><w:t>ee, SSN 536-</w:t></w:r><w:r><w:t>90-</w:t><w:t>4399</w:t></w:r></w:p>
<w:p><w:bookmarkStart w:id="0" w:name="Ann_Lee_visit"/><w:r><w:t>here</w:t></w:r><w:bookmarkEnd w:id="0"/>
<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> REF Ann_Lee_</w:instrText></w:r>
<w:r><w:instrText>visit \\h </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>here</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>
<w:r><w:t xml:space="preserve"> by </w:t></w:r><w:fldSimple w:instr=" DOCPROPERTY {NAME} "><w:r><w:t>{NAME}</w:t></w:r></w:fldSimple>
<w:hyperlink w:anchor="Ann_Lee_visit" w:tooltip="{NAME}"><w:r><w:t xml:space="preserve"> there </w:t></w:r></w:hyperlink>
<w:hyperlink r:id="rId20"><w:r><w:t>mail</w:t></w:r></w:hyperlink></w:p>
<w:p><w:r><w:t>Ann </w:t></w:r><w:del w:id="1" w:author="{AUTHOR}" {DAY}><w:r><w:delText>Lee</w:delText></w:r></w:del>
<w:ins w:id="2" w:author="{AUTHOR}" {DAY}><w:r><w:t>left</w:t></w:r></w:ins></w:p>
<w:sdt><w:sdtPr><w:alias w:val="{NAME}"/><w:tag w:val="{SSN}"/><w:dataBinding w:xpath="/a[1]" w:storeItemID="{{AAAAAAAA-AAAA-AAAA-AAAA-AAAAAAAAAAAA}}"/>
<w:comboBox><w:listItem w:displayText="{NAME}" w:value="{SSN}"/></w:comboBox></w:sdtPr>
<w:sdtContent><w:p><w:r><w:t>{AUTHOR}</w:t></w:r></w:p></w:sdtContent></w:sdt>
<w:tbl><w:tblPr><w:tblCaption w:val="{NAME}"/></w:tblPr><w:tblGrid><w:gridCol/><w:gridCol/></w:tblGrid>
<w:tr><w:tc><w:p><w:r><w:t>{NAME}</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>{SSN}</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
<w:p><w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:inline><wp:extent cx="952500" cy="476250"/><wp:docPr id="9" name="{NAME}" descr="{NAME}" title="{SSN}"/>
<a:graphic><a:graphicData uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wps:wsp><wps:cNvSpPr/><wps:spPr><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></wps:spPr><wps:txbx><w:txbxContent><w:p><w:r><w:t>box {NAME}</w:t></w:r></w:p></w:txbxContent></wps:txbx><wps:bodyPr/></wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing></mc:Choice>
<mc:Fallback><w:pict><v:shape id="Ann_Lee" style="width:75pt;height:37pt" alt="{NAME}" o:gfxdata="QW5uIExlZQ=="><v:textpath string="{NAME}"/><v:textbox><w:txbxContent><w:p><w:r><w:t>box {NAME}</w:t></w:r></w:p></w:txbxContent></v:textbox></v:shape></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>
<w:p><w:commentRangeStart w:id="3"/><w:r><w:t>said</w:t></w:r><w:commentRangeEnd w:id="3"/><w:r><w:commentReference w:id="3"/></w:r></w:p>
<w:p><w:r><w:drawing><wp:inline><wp:extent cx="952500" cy="476250"/><wp:docPr id="10" name="Picture 1"/><a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic><pic:nvPicPr><pic:cNvPr id="1" name="{NAME}.png"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="rId21"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="952500" cy="476250"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>
<w:sectPr><w:headerReference w:type="default" r:id="rId22"/><w:pgSz w:w="11906" w:h="16838"/></w:sectPr>"""
MAIN = {
    "document": ("officeDocument", "document.main", f"<w:body>{BODY}</w:body>"),
    "styles": (
        "styles",
        "styles",
        f'<w:style w:type="paragraph" w:styleId="AnnLee"><w:name w:val="{NAME} style"/></w:style>',
    ),
    "settings": (
        "settings",
        "settings",
        f'<w:attachedTemplate r:id="rId1"/><w:docVars><w:docVar w:name="{NAME}" w:val="{SSN}"/></w:docVars>'
        f'<w:defaultTabStop w:val="708"/>',
    ),
    "comments": (
        "comments",
        "comments",
        f'<w:comment w:id="3" w:author="{AUTHOR}" w:initials="MG" {DAY}><w:p><w:r><w:t>Tell {NAME}</w:t></w:r></w:p></w:comment>',
    ),
    "hdr": ("header", "header", f"<w:p><w:r><w:t>{NAME}</w:t><w:tab/><w:t>{SSN}</w:t></w:r></w:p>"),
    "people": (
        "people",
        "people",
        f'<w15:person w15:author="{AUTHOR}"><w15:presenceInfo w15:providerId="AD" w15:userId="S::{NAME}"/></w15:person>',
    ),
}
RELATED = "http://schemas.microsoft.com/office/2011/relationships/people"


def packed(parts):
    """A zip of them."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in parts.items():
            made.writestr(name, data)
    return target.getvalue()


def unpacked(data):
    """By name, what is in a zip."""
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def relationships(rows):
    inside = "".join(
        f'<Relationship Id="{id_}" Type="{kind if "://" in kind else R + "/" + kind}" Target="{target}"{more}/>'
        for id_, kind, target, more in rows
    )
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{space}">{inside}</Relationships>'


def docx_parts(picture=b"\x89PNG\r\n\x1a\n" + NAME.encode()):
    """One with an identifier in every place that there is."""
    parts, overrides = {}, ""
    for stem, (tag, kind, inside) in MAIN.items():
        root = {"officeDocument": "document", "header": "hdr"}.get(tag, tag)
        space = "w15" if tag == "people" else "w"
        parts[f"word/{stem}.xml"] = f"<{space}:{root} {SPACES}>{inside}</{space}:{root}>"
        overrides += f'<Override PartName="/word/{stem}.xml" ContentType="{TYPES}{kind}+xml"/>'
    related = [
        (f"rId{n}", RELATED if tag == "people" else tag, f"{stem}.xml", "")
        for n, (stem, (tag, _, _)) in enumerate(MAIN.items(), 1)
        if tag not in {"officeDocument", "header"}
    ]
    out = ' TargetMode="External"'
    related += [
        ("rId20", "hyperlink", "mailto:x@example.org?subject=Ann%20Lee", out),
        ("rId21", "image", f"media/{NAME}.png", ""),
        ("rId22", "header", "hdr.xml", ""),
        ("rId23", "customXml", "../customXml/item1.xml", ""),
        ("rId24", "glossaryDocument", "glossary.xml", ""),
        ("rId25", "vbaProject", "vbaProject.bin", ""),
    ]
    template = [("rId1", "attachedTemplate", f"file:///C:/{NAME}/a.dotx", out)]
    core = (
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:creator>{AUTHOR}</dc:creator><dc:title>About {NAME}</dc:title><cp:keywords>{SSN}</cp:keywords>"
        '<dcterms:created xsi:type="dcterms:W3CDTF">2024-03-05T10:00:00Z</dcterms:created></cp:coreProperties>'
    )
    package = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/"
    top = [
        ("rId1", "officeDocument", "word/document.xml", ""),
        ("rId2", f"{package}core-properties", "docProps/core.xml", ""),
        ("rId3", f"{package}thumbnail", "docProps/thumbnail.jpeg", ""),
        ("rId4", "custom-properties", "docProps/custom.xml", ""),
    ]
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>'
        '<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>'
        f"{overrides}</Types>"
    )
    return {
        "[Content_Types].xml": types,
        "_rels/.rels": relationships(top),
        **parts,
        "word/_rels/document.xml.rels": relationships(related),
        "word/_rels/settings.xml.rels": relationships(template),
        f"word/media/{NAME}.png": picture,
        "docProps/core.xml": core,
        "docProps/thumbnail.jpeg": NAME,
        "docProps/custom.xml": f"<a>{NAME}</a>",
        "customXml/item1.xml": f"<patient>{NAME}</patient>",
        "word/glossary.xml": f"<a>{NAME}</a>",
        "word/vbaProject.bin": NAME,
    }


def _paragraphs(size):
    """About that many bytes of text: the same patients as in tables."""
    return [" ".join(map(str, row)) for row in format_tables.rows(size)]


def docx(size):
    """A document with that much text, in runs as Word makes them."""
    run = '<w:r w:rsidR="00A1B2C3"><w:rPr><w:rFonts w:ascii="Calibri" w:hAnsi="Calibri"/><w:sz w:val="22"/></w:rPr><w:t xml:space="preserve">{} </w:t></w:r>'
    lines = (
        "<w:p>" + "".join(run.format(part) for part in text.split(", ")) + "</w:p>"
        for text in _paragraphs(size)
    )
    parts = docx_parts()
    body = parts["word/document.xml"]
    parts["word/document.xml"] = body.replace("<w:body>", "<w:body>" + "".join(lines))
    return packed(parts)


def odt(size):
    """The same as OpenDocument."""
    lines = (
        "<text:p>"
        + "".join(
            f'<text:span text:style-name="T1">{part} </text:span>' for part in text.split(", ")
        )
        + "</text:p>"
        for text in _paragraphs(size)
    )
    parts = odt_parts()
    body = parts["content.xml"]
    parts["content.xml"] = body.replace("<office:text>", "<office:text>" + "".join(lines))
    return packed(parts)


def pptx(size):
    """The same as slides."""
    from pptx import Presentation

    made = Presentation()
    for text in _paragraphs(size):
        slide = made.slides.add_slide(made.slide_layouts[1])
        slide.shapes.title.text, _, slide.placeholders[1].text = text.partition(", ")
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


def left(data, secrets):
    """Which of the secrets are in a file, packed or not, in any of the ways to write them."""
    every = [data]
    if data[:2] == b"PK":
        for name, member in unpacked(data).items():
            every += [name.encode(), member]
            every += [inner for inner in [member] if member[:2] == b"PK" and left(inner, secrets)]
    found = set()
    for secret in secrets:
        raw = secret.encode()
        ways = [raw, secret.encode("utf-16-le"), secret.encode("utf-16-be"), raw.hex().encode()]
        ways += [base64.b64encode(raw)[:-3], raw.replace(b" ", b"%20"), raw.replace(b" ", b"_")]
        ways += ["".join(f"&#{ord(c)};" for c in secret).encode(), raw.replace(b" ", b"")]
        found |= {secret for way in ways for one in every if way.lower() in one.lower()}
    return found


def planted(xml, value):
    """A part with the value in all texts, and in all attributes but those that tie it together."""
    tie = {"Id", "Type", "TargetMode", "PartName", "ContentType", "Extension", "mc:Ignorable"}

    def attribute(match):
        name = match[1]
        fixed = name.startswith(("xmlns", "r:")) or name in tie
        return match[0] if fixed else f' {name}="{value}"'

    xml = re.sub(r'\s([\w:]+)="[^"]*"', attribute, xml)
    if not re.search("[ -]", value):  # a word of no language: only names hold it
        return xml
    return re.sub(r">([^<>]*[^<>\s][^<>]*)<", f">{value}<", xml)


P = "application/vnd.openxmlformats-officedocument.presentationml."
SLIDES = (
    f'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:r="{R}" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p14="http://schemas.microsoft.com/office/powerpoint/2010/main" '
    'xmlns:p188="http://schemas.microsoft.com/office/powerpoint/2018/8/main"'
)
WHO, WHAT = "{1B0B2C3D-1111-4222-8333-ABCDEF012345}", "{2B0B2C3D-1111-4222-8333-ABCDEF012345}"
SHAPE = f"""<p:cSld name="{NAME}"><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>
<p:sp><p:nvSpPr><p:cNvPr id="2" name="Title 1" descr="{NAME}" title="{SSN}"/><p:cNvSpPr/><p:nvPr><p:custDataLst><p:tags r:id="rId90"/></p:custDataLst></p:nvPr></p:nvSpPr><p:spPr/>
<p:txBody><a:bodyPr/><a:p><a:r><a:t>Case of A</a:t></a:r><a:r><a:t>nn Lee</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld>"""
PPTX = {  # by name: type of its relation, kind, element, what is in it
    "presentation": (
        "officeDocument",
        f"{P}presentation.main",
        "p:presentation",
        f"""<p:sldIdLst><p:sldId id="256" r:id="rId1"/></p:sldIdLst><p:custShowLst><p:custShow name="{NAME}" id="0"><p:sldLst><p:sld r:id="rId1"/></p:sldLst></p:custShow></p:custShowLst>
<p:custDataLst><p:tags r:id="rId90"/></p:custDataLst><p:modifyVerifier hashData="{NAME}"/><p:extLst><p:ext uri="{{521415D9-36F7-43E2-AB2F-B90AF26B5E84}}"><p14:sectionLst><p14:section name="{NAME}" id="{WHO}"><p14:sldIdLst><p14:sldId id="256"/></p14:sldIdLst></p14:section></p14:sectionLst></p:ext></p:extLst>""",
    ),
    "slide": (f"{R}/slide", f"{P}slide", "p:sld", SHAPE),
    "notesSlide": (f"{R}/notesSlide", f"{P}notesSlide", "p:notes", SHAPE),
    "slideMaster": (f"{R}/slideMaster", f"{P}slideMaster", "p:sldMaster", SHAPE),
    "handoutMaster": (f"{R}/handoutMaster", f"{P}handoutMaster", "p:handoutMaster", SHAPE),
    "commentAuthors": (
        f"{R}/commentAuthors",
        f"{P}commentAuthors",
        "p:cmAuthorLst",
        f'<p:cmAuthor id="0" name="{AUTHOR}" initials="MG" lastIdx="1" clrIdx="0"/>',
    ),
    "comments": (
        f"{R}/comments",
        f"{P}comments",
        "p:cmLst",
        f'<p:cm authorId="0" dt="2024-03-05T10:00:00" idx="1"><p:pos x="10" y="10"/><p:text>Ask {NAME}</p:text></p:cm>',
    ),
    "authors": (
        "http://schemas.microsoft.com/office/2018/10/relationships/authors",
        "application/vnd.ms-powerpoint.authors",
        "p188:authorLst",
        f'<p188:author id="{WHO}" name="{AUTHOR}" initials="MG" userId="S::x@example.org::1" providerId="AD"/>',
    ),
    "modernComment": (
        "http://schemas.microsoft.com/office/2018/10/relationships/comments",
        "application/vnd.ms-powerpoint.comments",
        "p188:cmLst",
        f'<p188:cm id="{WHAT}" authorId="{WHO}" created="2024-03-05T10:00:00.123"><p188:replyLst><p188:reply id="{WHAT}" authorId="{WHO}" created="2024-03-05T10:00:00.123"><p188:txBody><a:bodyPr/><a:p><a:r><a:t>{NAME} left</a:t></a:r></a:p></p188:txBody></p188:reply></p188:replyLst><p188:txBody><a:bodyPr/><a:p><a:r><a:t>Where is A</a:t></a:r><a:r><a:t>nn Lee?</a:t></a:r></a:p></p188:txBody></p188:cm>',
    ),
    "tag": (f"{R}/tags", f"{P}tags", "p:tagLst", f'<p:tag name="WHO" val="{NAME}"/>'),
}


def pptx_parts():
    """A presentation with an identifier in every place that there is."""
    parts, types = {}, ""
    for name, (_, kind, root, inside) in PPTX.items():
        parts[f"ppt/{name}.xml"] = f"<{root} {SLIDES}>{inside}</{root}>"
        types += f'<Override PartName="/ppt/{name}.xml" ContentType="{kind}+xml"/>'

    def related(*names):
        rows = [(f"rId{n}", PPTX[name][0], f"{name}.xml", "") for n, name in enumerate(names, 1)]
        return relationships([*rows, ("rId90", PPTX["tag"][0], "tag.xml", "")])

    return {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Default Extension="xml" ContentType="application/xml"/>{types}</Types>',
        "_rels/.rels": relationships([("rId1", "officeDocument", "ppt/presentation.xml", "")]),
        "ppt/_rels/presentation.xml.rels": related(
            "slide", "slideMaster", "handoutMaster", "commentAuthors", "authors"
        ),
        "ppt/_rels/slide.xml.rels": related("notesSlide", "comments", "modernComment"),
        **parts,
    }


ODF = "urn:oasis:names:tc:opendocument:xmlns:"
ODF_SPACES = " ".join(
    f'xmlns:{prefix}="{ODF}{name}:1.0"'
    for prefix, name in {
        "office": "office", "text": "text", "style": "style", "table": "table", "draw": "drawing",
        "meta": "meta", "svg": "svg-compatible", "config": "config", "fo": "xsl-fo-compatible",
    }.items()
) + ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/" office:version="1.3"'  # fmt: skip
ODT_BODY = f"""
<text:tracked-changes><text:changed-region text:id="c1"><text:deletion><office:change-info><dc:creator>{AUTHOR}</dc:creator>
<dc:date>2024-03-05T10:00:00</dc:date></office:change-info><text:p>{NAME}</text:p></text:deletion></text:changed-region></text:tracked-changes>
<text:user-field-decls><text:user-field-decl text:name="{NAME}" office:value-type="string" office:string-value="{SSN}"/></text:user-field-decls>
<text:p text:style-name="AnnLee">Seen by A<text:span text:style-name="T1">nn<text:s/>L</text:span>ee,<text:tab/>SSN {SSN}<text:change text:change-id="c1"/></text:p>
<text:p>As <text:bookmark text:name="Ann_Lee_visit"/>said <text:bookmark-ref text:ref-name="Ann_Lee_visit" text:reference-format="text">x</text:bookmark-ref>
<text:a xlink:type="simple" xlink:href="https://example.org/?n=Ann%20Lee" office:title="{NAME}">there</text:a> <text:database-display text:table-name="{NAME}" text:column-name="{NAME}">{NAME}</text:database-display></text:p>
<text:p><office:annotation office:name="Ann_Lee"><dc:creator>{AUTHOR}</dc:creator><dc:date>2024-03-05T10:00:00</dc:date><meta:creator-initials>MG</meta:creator-initials><text:p>ask {NAME}</text:p></office:annotation>
<text:author-name>{AUTHOR}</text:author-name> <text:date text:date-value="2024-03-05" text:fixed="true">2024-03-05</text:date></text:p>
<table:table table:name="{NAME}"><table:table-column/><table:table-row><table:table-cell office:value-type="float" office:value="536904399"><text:p>{SSN}</text:p></table:table-cell></table:table-row></table:table>
<text:p><draw:frame draw:name="{NAME}" svg:width="2cm" svg:height="1cm" text:anchor-type="as-char"><draw:image xlink:href="Pictures/{NAME}.png" xlink:type="simple"/><svg:title>{NAME}</svg:title><svg:desc>{NAME}</svg:desc></draw:frame>
<draw:frame><draw:object-ole xlink:href="./Object 9"/></draw:frame></text:p>"""


def odt_parts():
    """One with an identifier in every place that there is."""

    def part(root, inside):
        return f"<office:document-{root} {ODF_SPACES}>{inside}</office:document-{root}>"

    styles = f'<style:style style:name="AnnLee" style:display-name="{NAME}" style:family="paragraph"/><style:style style:name="T1" style:family="text"><style:text-properties fo:color="#ff0000"/></style:style>'
    master = f'<office:master-styles><style:master-page style:name="Standard"><style:header><text:p>{NAME}</text:p></style:header></style:master-page></office:master-styles>'
    meta = f'<meta:initial-creator>{AUTHOR}</meta:initial-creator><dc:creator>{AUTHOR}</dc:creator><dc:title>About {NAME}</dc:title><meta:user-defined meta:name="{NAME}">{SSN}</meta:user-defined><meta:creation-date>2024-03-05T10:00:00</meta:creation-date>'
    items = f'<config:config-item config:name="PrinterName" config:type="string">{NAME}</config:config-item><config:config-item config:name="AddFrameOffsets" config:type="boolean">true</config:config-item>'
    parts = {
        "mimetype": "application/vnd.oasis.opendocument.text",
        "content.xml": part(
            "content",
            f"<office:automatic-styles>{styles}</office:automatic-styles><office:body><office:text>{ODT_BODY}</office:text></office:body>",
        ),
        "styles.xml": part("styles", master),
        "meta.xml": part("meta", f"<office:meta>{meta}</office:meta>"),
        "settings.xml": part(
            "settings",
            f'<office:settings><config:config-item-set config:name="ooo:configuration-settings">{items}</config:config-item-set></office:settings>',
        ),
        f"Pictures/{NAME}.png": NAME,
        "Thumbnails/thumbnail.png": NAME,
        "Basic/script.xml": f"<a>{NAME}</a>",
        "Object 9": NAME,
    }
    space = f"{ODF}manifest:1.0"
    rows = {"/": "application/vnd.oasis.opendocument.text", **dict.fromkeys(parts, "text/xml")}
    listed = "".join(
        f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="{kind}"/>'
        for name, kind in rows.items()
        if name != "mimetype"
    )
    manifest = f'<manifest:manifest xmlns:manifest="{space}" manifest:version="1.3">{listed}</manifest:manifest>'
    return {**parts, "META-INF/manifest.xml": manifest}


SAMPLES = {"docx.v1": docx, "pptx.v1": pptx, "odf.v1": odt}
