//go:build race

package replay

// flips is how many places of a history are tried; the race detector makes each slow.
const flips = 200
