// Package alerts holds what people watch Sluice by against what Sluice tells: the
// alerts in config/prometheus, their runbooks, and the board in config/grafana.
//
// What a query means is for promtool to say. Where there is none these tests are
// skipped, unless SLUICE_NEEDS says that promtool must be there.
package alerts
