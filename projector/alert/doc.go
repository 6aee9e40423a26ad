// Package alert says what people should know about a budget, and tells them.
//
// A rule looks at a status and says whether its condition holds (rules.go). An
// alert is raised when that has been so for a while, and cleared when the
// opposite has been so for a while; where the condition is a threshold, the one to
// clear lies apart from the one to raise. So a value that wavers around a
// threshold raises one alert, not one a minute (board.go).
//
// Changes are posted to a webhook (webhook.go), by the one projector that
// publishes the status.
package alert
