package web

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed assets
var embedded embed.FS

// types are the kinds of files of the page. What the operating system knows about
// types differs from machine to machine.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// A file is one file of the page.
type file struct {
	kind   string
	tag    string
	body   []byte
	packed []byte // nil: not worth it
}

// files are the files of the page by their path, assets/….
var files = sync.OnceValue(func() map[string]file {
	all := map[string]file{}
	err := fs.WalkDir(embedded, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f := file{kind: types[path.Ext(name)]}
		if f.kind == "" {
			return fmt.Errorf("%s is of a kind that browsers are not told about", name)
		}
		if f.body, err = embedded.ReadFile(name); err != nil {
			return err
		}
		f.tag = fmt.Sprintf(`W/"%x"`, sha256.Sum256(f.body))[:20] + `"`
		if len(f.body) >= packFrom {
			f.packed, err = pack(f.body)
		}
		all[name] = f
		return err
	})
	if err != nil {
		panic(err) // the files are part of the program
	}
	return all
})

// page answers /.
func (s *site) page(w http.ResponseWriter, r *http.Request) { serve(w, r, "assets/index.html") }

// asset answers /assets/….
func (s *site) asset(w http.ResponseWriter, r *http.Request) {
	serve(w, r, strings.TrimPrefix(r.URL.Path, "/"))
}

func serve(w http.ResponseWriter, r *http.Request, name string) {
	f, ok := files()[name]
	if !ok {
		refuse(w, r, http.StatusNotFound, "There is no such file. The page is at /.")
		return
	}
	if unchanged(w, r, f.tag) { // the files of a page belong together
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	body := f.body
	if f.packed != nil && unpacks(r) {
		h.Set("Content-Encoding", "gzip")
		body = f.packed
	}
	sendBytes(w, r, http.StatusOK, body)
}
