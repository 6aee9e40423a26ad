package simulation

import (
	"crypto/sha1"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// The scripts are the real ones, run by a Lua interpreter.

func digest(text string) string {
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// compiled holds every script that was ever compiled by this process. The first
// line of a commit script, which is a comment, tells one leadership from
// another; what follows is the same for all.
var compiled sync.Map // of texts without it, to *lua.FunctionProto

func compile(text string) (*lua.FunctionProto, error) {
	if first, rest, ok := strings.Cut(text, "\n"); ok && strings.HasPrefix(first, "--") {
		text = rest
	}
	if p, ok := compiled.Load(text); ok {
		return p.(*lua.FunctionProto), nil
	}
	chunk, err := parse.Parse(strings.NewReader(text), "script")
	if err != nil {
		return nil, err
	}
	p, err := lua.Compile(chunk, "script")
	if err != nil {
		return nil, err
	}
	compiled.Store(text, p)
	return p, nil
}

// loadScript makes a script known to this process of the server.
func (s *server) loadScript(text string) any {
	p, err := compile(text)
	if err != nil {
		return answer("ERR Error compiling script: " + err.Error())
	}
	sha := digest(text)
	s.scripts[sha] = p
	return sha
}

// eval runs a known script.
func (s *server) eval(sha string, args []string) any {
	p := s.scripts[sha]
	if p == nil {
		return answer("NOSCRIPT No matching script. Please use EVAL.")
	}
	if s.lua == nil {
		s.lua = s.newInterpreter()
	}
	n, _ := strconv.Atoi(args[0])
	L := s.lua
	L.SetGlobal("KEYS", texts(L, args[1:1+n]))
	L.SetGlobal("ARGV", texts(L, args[1+n:]))
	L.Push(L.NewFunctionFromProto(p))
	if err := L.PCall(0, 1, nil); err != nil {
		return answer("ERR " + err.Error())
	}
	result := L.Get(-1)
	L.Pop(1)
	return fromLua(result)
}

func (s *server) newInterpreter() *lua.LState {
	L := lua.NewState(lua.Options{SkipOpenLibs: true})
	for _, lib := range []struct {
		name string
		open lua.LGFunction
	}{{lua.BaseLibName, lua.OpenBase}, {lua.TabLibName, lua.OpenTable}, {lua.StringLibName, lua.OpenString}, {lua.MathLibName, lua.OpenMath}} {
		L.Push(L.NewFunction(lib.open))
		L.Push(lua.LString(lib.name))
		L.Call(1, 0)
	}
	call := func(raise bool) lua.LGFunction {
		return func(L *lua.LState) int {
			args := make([]string, L.GetTop())
			for i := range args {
				switch v := L.Get(i + 1).(type) {
				case lua.LNumber:
					args[i] = strconv.FormatFloat(float64(v), 'g', 17, 64)
				default:
					args[i] = v.String()
				}
			}
			reply := s.exec(args)
			if err, failed := reply.(error); failed {
				if raise {
					L.RaiseError("%s", err.Error())
				}
				t := L.NewTable()
				t.RawSetString("err", lua.LString(err.Error()))
				L.Push(t)
				return 1
			}
			L.Push(toLua(L, reply))
			return 1
		}
	}
	api := L.NewTable()
	api.RawSetString("call", L.NewFunction(call(true)))
	api.RawSetString("pcall", L.NewFunction(call(false)))
	L.SetGlobal("redis", api)
	return L
}

func texts(L *lua.LState, values []string) *lua.LTable {
	t := L.CreateTable(len(values), 0)
	for _, v := range values {
		t.Append(lua.LString(v))
	}
	return t
}

// toLua converts as Redis does: nil becomes false.
func toLua(L *lua.LState, reply any) lua.LValue {
	switch v := reply.(type) {
	case int64:
		return lua.LNumber(v)
	case string:
		return lua.LString(v)
	case status:
		t := L.NewTable()
		t.RawSetString("ok", lua.LString(v))
		return t
	case []any:
		t := L.CreateTable(len(v), 0)
		for _, x := range v {
			t.Append(toLua(L, x))
		}
		return t
	}
	return lua.LFalse
}

// fromLua converts as Redis does: numbers lose their fraction, a table ends at
// its first nil.
func fromLua(v lua.LValue) any {
	switch v := v.(type) {
	case lua.LNumber:
		return int64(v)
	case lua.LString:
		return string(v)
	case lua.LBool:
		if v {
			return int64(1)
		}
	case *lua.LTable:
		out := []any{}
		for i := 1; ; i++ {
			x := v.RawGetInt(i)
			if x == lua.LNil {
				return out
			}
			out = append(out, fromLua(x))
		}
	}
	return nil
}
