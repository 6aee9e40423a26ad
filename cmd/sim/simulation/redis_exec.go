package simulation

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// An answer is what Redis says when it refuses a command.
type answer string

func (a answer) Error() string { return string(a) }

// RedisError makes the client library take it for what it is.
func (answer) RedisError() {}

const wrongType = answer("WRONGTYPE Operation against a key holding the wrong kind of value")

// status is a reply like OK, which scripts see as a table.
type status string

// exec runs one command and returns the reply: nil, int64, string, status, []any
// or an error. It knows only the commands that Conncord uses, in the forms in
// which it uses them; a test compares each of them with a real server.
func (s *server) exec(args []string) any {
	switch name := strings.ToUpper(args[0]); name {
	case "GET", "SET", "PTTL", "EXISTS", "DEL", "HGET", "HMGET", "HSET":
		return s.execKey(name, args[1], args[2:])
	case "MGET":
		values := make([]any, len(args)-1)
		for i, key := range args[1:] {
			if it := s.find(key); it != nil && it.hash == nil && it.stream == nil {
				values[i] = it.text
			}
		}
		return values
	case "XADD", "XRANGE", "XREVRANGE", "XTRIM":
		return s.execStream(name, args[1], args[2:])
	case "XINFO":
		return s.streamInfo(args[2])
	case "XREAD": // COUNT n STREAMS key id
		it := s.find(args[4])
		if it == nil {
			return nil
		}
		if it.stream == nil {
			return wrongType
		}
		count, _ := strconv.Atoi(args[2])
		from, _ := parseID(args[5], 0)
		found := it.stream.after(from, count)
		if len(found) == 0 {
			return nil
		}
		return []any{[]any{args[4], list(found)}}
	case "PUBLISH":
		return s.publish(args[1], args[2])
	case "INFO":
		return "run_id:" + s.runID + "\r\nmaster_replid:" + s.replID + "\r\nmaster_replid2:" + s.formerID + "\r\n"
	case "SCRIPT":
		if strings.EqualFold(args[1], "FLUSH") {
			s.forgetScripts()
			return status("OK")
		}
		return s.loadScript(args[2])
	case "EVAL":
		if _, failed := s.loadScript(args[1]).(error); failed {
			return answer("ERR Error compiling script")
		}
		return s.eval(digest(args[1]), args[2:])
	case "EVALSHA":
		return s.eval(args[1], args[2:])
	}
	return answer(fmt.Sprintf("ERR unknown command '%s'", args[0]))
}

// find returns the value of a key, nil if there is none.
func (s *server) find(key string) *item {
	it := s.data[key]
	if it != nil && it.expires > 0 && it.expires <= s.loop.now {
		delete(s.data, key)
		return nil
	}
	return it
}

func (s *server) execKey(name, key string, args []string) any {
	it := s.find(key)
	switch name {
	case "SET": // value, PX ms or EX s
		it = &item{text: args[0]}
		if len(args) == 3 {
			n, _ := strconv.ParseInt(args[2], 10, 64)
			unit := time.Millisecond
			if strings.EqualFold(args[1], "EX") {
				unit = time.Second
			}
			it.expires = s.loop.now + time.Duration(n)*unit
		}
		s.data[key] = it
		return status("OK")
	case "DEL":
		delete(s.data, key)
		return count(it != nil)
	case "EXISTS":
		return count(it != nil)
	case "PTTL":
		switch {
		case it == nil:
			return int64(-2)
		case it.expires == 0:
			return int64(-1)
		}
		return (it.expires - s.loop.now).Milliseconds()
	case "GET":
		switch {
		case it == nil:
			return nil
		case it.hash != nil || it.stream != nil:
			return wrongType
		}
		return it.text
	}
	if it != nil && it.hash == nil {
		return wrongType
	}
	switch name {
	case "HSET":
		if it == nil {
			it = &item{hash: map[string]string{}}
			s.data[key] = it
		}
		n := int64(0)
		for i := 0; i+1 < len(args); i += 2 {
			if _, known := it.hash[args[i]]; !known {
				n++
			}
			it.hash[args[i]] = args[i+1]
		}
		return n
	case "HGET":
		return field(it, args[0])
	}
	values := make([]any, len(args)) // HMGET
	for i, f := range args {
		values[i] = field(it, f)
	}
	return values
}

func field(it *item, name string) any {
	if it == nil {
		return nil
	}
	if v, ok := it.hash[name]; ok {
		return v
	}
	return nil
}

func count(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

func (s *server) execStream(name, key string, args []string) any {
	it := s.find(key)
	if it != nil && it.stream == nil {
		return wrongType
	}
	switch name {
	case "XADD": // id, field, value
		if it == nil {
			it = &item{stream: &stream{}}
		}
		at := it.stream.last
		switch given, ok := parseID(args[0], 0); {
		case args[0] == "*":
			if ms := uint64((s.epoch + s.loop.now).Milliseconds()); ms > at.first {
				at = id{ms, 0}
			} else {
				at.second++
			}
		case !ok:
			return answer("ERR Invalid stream ID specified as stream command argument")
		case !at.less(given):
			return answer("ERR The ID specified in XADD is equal or smaller than the target stream top item")
		default:
			at = given
		}
		s.data[key] = it
		it.stream.last = at
		it.stream.added++
		it.stream.entries = append(it.stream.entries, entry{at, args[1:]})
		if s.appended != nil {
			s.appended(key, at.String(), args[1:])
		}
		return at.String()
	case "XTRIM": // MINID ~ id
		if it != nil {
			least, _ := parseID(args[2], 0)
			it.stream.trim(least)
		}
		return int64(0)
	case "XREVRANGE": // + - COUNT 1
		if it == nil || len(it.stream.entries) == 0 {
			return []any{}
		}
		return list(it.stream.entries[len(it.stream.entries)-1:])
	}
	if it == nil { // XRANGE id id, and - or id, + COUNT 1
		return []any{}
	}
	var before id
	if args[0] != "-" {
		at, _ := parseID(args[0], 0)
		before = at.previous()
	}
	found := it.stream.after(before, 1)
	if last, bounded := parseID(args[1], 0); len(found) == 0 || bounded && last.less(found[0].id) {
		return []any{}
	}
	return list(found)
}

// previous returns the id just before.
func (a id) previous() id {
	if a.second > 0 {
		return id{a.first, a.second - 1}
	}
	return id{a.first - 1, 1<<64 - 1}
}

func (s *server) streamInfo(key string) any {
	it := s.find(key)
	switch {
	case it == nil:
		return answer("ERR no such key")
	case it.stream == nil:
		return wrongType
	}
	return []any{
		"length", int64(len(it.stream.entries)),
		"last-generated-id", it.stream.last.String(),
		"entries-added", it.stream.added,
	}
}

func list(entries []entry) []any {
	out := make([]any, len(entries))
	for i, e := range entries {
		fields := make([]any, len(e.fields))
		for j, f := range e.fields {
			fields[j] = f
		}
		out[i] = []any{e.id.String(), fields}
	}
	return out
}
