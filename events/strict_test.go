package events

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vmihailenco/msgpack/v5"
)

// raw is bytes that stand in an entry as they are.
type raw []byte

// pack builds an entry by hand: slices are arrays, numbers are as narrow as
// they can be.
func pack(v any) []byte {
	w := newWriter()
	packInto(w, v)
	return w.buf.Bytes()
}

func packInto(w *writer, v any) {
	switch v := v.(type) {
	case []any:
		w.array(len(v))
		for _, x := range v {
			packInto(w, x)
		}
	case raw:
		w.buf.Write(v)
	case int:
		_ = msgpack.NewEncoder(&w.buf).EncodeInt(int64(v))
	default:
		if err := msgpack.NewEncoder(&w.buf).Encode(v); err != nil {
			panic(err)
		}
	}
}

type list = []any

func TestIntentStrict(t *testing.T) {
	demand := func(first any) list { return list{first, 1, 2, 0, 0, 7, 3} }
	register := func(service, host, strict, ttl any) list {
		return list{1, 1, "c", 1, list{service, host, strict, ttl, 1, 2, 3, 0, 0, 7, 3}}
	}
	policy := list{1, "", 60, 6, 10_000, 500, list{"", 1, 0, 0}, list{list{"api", 8, 3, 0}}}
	with := func(i int, v any) list {
		p := append(list{}, policy...)
		p[i] = v
		return list{6, 1, "", 0, list{p}}
	}
	for name, c := range map[string]struct {
		entry any
		want  error
	}{
		"empty array":           {list{}, ErrMalformed},
		"nil":                   {nil, ErrMalformed},
		"map":                   {map[string]int{"kind": 1}, ErrMalformed},
		"four places":           {list{3, 1, "c", 1}, ErrMalformed},
		"six places":            {list{3, 1, "c", 1, demand(1), 0}, ErrMalformed},
		"kind 0":                {list{0, 1, "c", 1, list{}}, ErrKind},
		"unknown kind":          {list{int(lastKind) + 1, 1, "c", 1, list{}}, ErrKind},
		"kind beyond a byte":    {list{256 + 3, 1, "c", 1, demand(1)}, ErrRange},
		"version 0":             {list{3, 0, "c", 1, demand(1)}, ErrVersion},
		"future version":        {list{3, 2, "c", 1, demand(1)}, ErrVersion},
		"future, other body":    {list{3, 99, "c", 1, "new"}, ErrVersion},
		"version beyond range":  {list{3, 1 << 20, "c", 1, demand(1)}, ErrRange},
		"negative":              {list{3, 1, "c", 1, demand(-1)}, ErrRange},
		"very negative":         {list{3, 1, "c", 1, demand(-1 << 40)}, ErrRange},
		"too many units":        {list{3, 1, "c", 1, demand(MaxUnits + 1)}, ErrRange},
		"fraction":              {list{3, 1, "c", 1, demand(1.0)}, ErrMalformed},
		"float32":               {list{3, 1, "c", 1, demand(float32(1))}, ErrMalformed},
		"text for number":       {list{3, 1, "c", 1, demand("1")}, ErrMalformed},
		"nil for number":        {list{3, 1, "c", 1, demand(nil)}, ErrMalformed},
		"bool for number":       {list{3, 1, "c", 1, demand(true)}, ErrMalformed},
		"number for text":       {list{3, 1, 5, 1, demand(1)}, ErrMalformed},
		"nil for text":          {list{3, 1, nil, 1, demand(1)}, ErrMalformed},
		"number for bool":       {register("api", "h", 1, 0), ErrMalformed},
		"nil for bool":          {register("api", "h", nil, 0), ErrMalformed},
		"no body":               {list{3, 1, "c", 1, nil}, ErrMalformed},
		"short body":            {list{3, 1, "c", 1, list{1}}, ErrMalformed},
		"body of another kind":  {list{4, 1, "c", 1, demand(1)}, ErrMalformed},
		"cleanup with body":     {list{5, 1, "c", 1, list{1}}, ErrMalformed},
		"no container":          {list{3, 1, "", 1, demand(1)}, ErrName},
		"over-long container":   {list{3, 1, strings.Repeat("c", MaxContainerBytes+1), 1, demand(1)}, ErrOversize},
		"space in container":    {list{3, 1, "a b", 1, demand(1)}, ErrName},
		"control in container":  {list{3, 1, "a\x00b", 1, demand(1)}, ErrName},
		"brace in container":    {list{3, 1, "a}b", 1, demand(1)}, ErrName},
		"container in own kind": {list{10, 1, "c", 1, list{}}, ErrName},
		"counter beyond int64":  {list{3, 1, "c", uint64(1 << 63), demand(1)}, ErrRange},
		"no service":            {register("", "h", true, 0), ErrName},
		"over-long service":     {register(strings.Repeat("s", MaxNameBytes+1), "h", true, 0), ErrOversize},
		"bad service":           {register("a:b", "h", true, 0), ErrName},
		"host with a newline":   {register("api", "h\n", true, 0), ErrName},
		"host beyond ASCII":     {register("api", "höst", true, 0), ErrName},
		"over-long host":        {register("api", strings.Repeat("h", MaxNameBytes+1), true, 0), ErrOversize},
		"ttl too long":          {register("api", "h", true, int(MaxTTL.Milliseconds())+1), ErrRange},
		"rule of tomorrow":      {with(0, 2), nil},
		"policy without limit":  {with(2, 0), nil},
		"too many services":     {with(7, raw{0xdc, 0, MaxServices + 1}), ErrOversize},
		"services not sorted":   {with(7, list{list{"b", 1, 0, 0}, list{"a", 1, 0, 0}}), nil},
		"priority too high":     {with(7, list{list{"b", MaxPriority + 1, 0, 0}}), ErrRange},
		"barrier too long":      {list{7, 1, "", 0, list{int(2*MaxTTL.Milliseconds()) + 1}}, ErrRange},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := DecodeIntent(pack(c.entry))
			wantDecodeError(t, err, c.want)
		})
	}
}

// A number may come in any of MessagePack's widths, signed or not, and text as
// string or binary: writers differ.
func TestWiderEncodings(t *testing.T) {
	want := &Intent{Kind: Renew, Container: "c1", Counter: 9, Demand: Demand{Want: 5}}
	for name, five := range map[string]raw{
		"fixed": {5}, "uint8": {0xcc, 5}, "uint16": {0xcd, 0, 5}, "uint32": {0xce, 0, 0, 0, 5}, "uint64": {0xcf, 0, 0, 0, 0, 0, 0, 0, 5},
		"int8": {0xd0, 5}, "int16": {0xd1, 0, 5}, "int32": {0xd2, 0, 0, 0, 5}, "int64": {0xd3, 0, 0, 0, 0, 0, 0, 0, 5},
	} {
		for _, id := range []raw{{0xa2, 'c', '1'}, {0xd9, 2, 'c', '1'}, {0xda, 0, 2, 'c', '1'}, {0xdb, 0, 0, 0, 2, 'c', '1'},
			{0xc4, 2, 'c', '1'}, {0xc5, 0, 2, 'c', '1'}, {0xc6, 0, 0, 0, 2, 'c', '1'}} {
			got, err := DecodeIntent(pack(list{3, 1, id, 9, list{five, 0, 0, 0, 0, 0, 0}}))
			if err != nil {
				t.Fatalf("%s, %x: %v", name, id, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s: -want +got\n%s", name, diff)
			}
		}
	}
	wide := bytes.Join([][]byte{{0xdd, 0, 0, 0, 5, 3, 1, 0xa2, 'c', '1', 9}, {0xdc, 0, 7, 5, 0, 0, 0, 0, 0, 0}}, nil)
	if got, err := DecodeIntent(wide); err != nil || !cmp.Equal(want, got) {
		t.Fatalf("wide arrays: %v", err)
	}
}

func TestVersions(t *testing.T) {
	for _, e := range entryTypes {
		for _, v := range []int{0, 3, 1 << 15} {
			entry := list{v, list{}, raw{0xc4, 0}}
			switch e.name {
			case "intent":
				entry = list{3, v, "c", 1, list{}}
			case "grant":
				entry = list{v, list{}}
			case "snapshot":
				entry = list{v, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
			}
			_, err := e.decode(pack(entry))
			wantDecodeError(t, err, ErrVersion)
		}
	}
}

func TestErrorText(t *testing.T) {
	_, err := DecodeIntent(pack(list{3, 1, "c", 1, list{-1, 0, 0, 0, 0, 0, 0}}))
	if got, want := err.Error(), "decode intent: want: number out of range"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
