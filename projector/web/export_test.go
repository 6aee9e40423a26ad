package web

// The limits, for tests of what happens at them.
const (
	MaxStreams     = maxStreams
	StreamGap      = streamGap
	HeartbeatEvery = heartbeatEvery
	WriteTimeout   = writeTimeout
	DefaultLimit   = defaultLimit
	MaxLimit       = maxLimit
	NoStatus       = noStatus
)
