// Command worker looks visitors up and delivers details.
// It is configured by environment variables, see docs/configuration.md.
package main

import "sidecard/internal/app"

func main() { app.Main("worker", app.RunWorker) }
