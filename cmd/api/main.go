// Command api takes LiveSupporti's callbacks and serves the API, the portal and the docs.
// It is configured by environment variables, see docs/configuration.md.
package main

import "sidecard/internal/app"

func main() { app.Main("api", app.RunAPI) }
