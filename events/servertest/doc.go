// Package servertest starts real Redis and PostgreSQL servers for tests and
// for the demo, and cleans up after them.
//
// Conncord's promises are about what happens when a server dies at a bad
// moment, so its tests talk to the servers people run, not to imitations. A
// server here is a child process on a free loopback port, with its own
// directory, that can be killed, paused, restarted on the same port and
// emptied:
//
//	func TestFailover(t *testing.T) {
//		redis := servertest.NeedRedis(t, servertest.RedisOptions{AppendOnly: true})
//		client := connect(redis.URL())
//		redis.Kill()                 // kill -9: clients see the connection break
//		redis.Restart(t.Context())   // same port, same data
//	}
//
// # What a caller can rely on
//
// Ready means ready. A Start or Restart that returns nil has had an answer
// from this very server: the question goes over a unix socket in the server's
// own directory, so a stranger on the same port cannot answer it. When a
// server does not come up, the error holds the end of its log.
//
// Gone means gone. Stop and Kill return when the server and every process it
// forked (a PostgreSQL backend, a Redis rewriting its append-only file) have
// ended. No backend commits after Kill has returned.
//
// Nothing stays behind. Stop removes what the server wrote, except a
// directory that the caller named. On Linux a server also dies with the
// process that started it, even by kill -9 (see dieWithParent); its directory
// is then removed by the next program that starts a server (see scratch).
//
// Missing is a failure. A machine without redis-server fails the tests with a
// sentence that says what to install; a skipped test proves nothing.
//
// # Safety
//
// Servers listen on 127.0.0.1 and on a unix socket only the server's user can
// reach. They ask for no password: everybody who has an account on the machine
// can connect while a test runs, as a PostgreSQL superuser even. Keep nothing
// in them that is worth having.
//
// The package runs on Linux, macOS and the BSDs.
package servertest
