"""One process or several that answer over HTTP: the API, gateways, the page, metrics."""
