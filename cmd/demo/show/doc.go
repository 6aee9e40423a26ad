// Package show is the demo: it runs Conncord's main job in one go and judges it.
//
// # What takes part
//
// A PostgreSQL with 60 connections (database.go), a Redis (redis.go) and an
// arbiter, which looks at the database; and the five services that Conncord knows by name, each container a
// process of its own with a real pool (container.go, package service). The play
// (play.go) says how much each service wants and when, who is killed with kill -9
// and who is stopped gracefully, and when somebody with psql comes past Conncord
// (guests.go). The stage (stage.go) performs it.
//
// # What is measured
//
// The connections are counted in pg_stat_activity by a connection of its own,
// every few milliseconds (poller.go). What was granted is read from the arbiter's
// history, of which nothing is missed (history.go). Refused connections are
// counted by those who were refused, and once more in the log of the database.
// The verdict (verdict.go) needs no figure of the services' own books.
//
// # Order of ending
//
// Containers first, so that they can say goodbye; then those who measure; then
// the arbiter, Redis and the database. Each waits for what it started.
package show
