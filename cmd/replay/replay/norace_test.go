//go:build !race

package replay

// flips is how many places of a history are tried.
const flips = 1000
