package slack

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"time"
)

//go:embed page
var pageFiles embed.FS

// policy lets the page load nothing but its own files, so that text of a message that slips through as markup is inert.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// heartbeat keeps the event stream of a quiet channel open through proxies.
const heartbeat = 20 * time.Second

// pageRoutes are the page for people: its files and the stream of what happens.
func (s *Server) pageRoutes(mux *http.ServeMux) {
	dir, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // the folder is embedded: only a build without it gets here
	}
	index := func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, dir, "index.html")
	}
	mux.HandleFunc("GET /{$}", guarded(index))
	mux.HandleFunc("GET /archives/{channel}/{ts}", guarded(index))
	mux.HandleFunc("GET /page/", guarded(http.StripPrefix("/page/", http.FileServerFS(dir)).ServeHTTP))
	mux.HandleFunc("GET /pictures/{id}", guarded(s.servePicture))
	mux.HandleFunc("GET /lab/stream", s.serveStream)
}

func guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-cache")
		next(w, r)
	}
}

// pictureKinds are the kinds of file that the page shows as a picture. SVG is not one: it can hold scripts.
func pictureKinds() []string { return []string{"image/png", "image/jpeg", "image/gif", "image/webp"} }

// servePicture gives a file to the page's img elements, if its bytes are a picture, whatever its name says.
func (s *Server) servePicture(w http.ResponseWriter, r *http.Request) {
	f, ok := s.files.content(r.PathValue("id"))
	kind := http.DetectContentType(f.bytes)
	if !ok || !slices.Contains(pictureKinds(), kind) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	http.ServeContent(w, r, "", s.cfg.Now(), bytes.NewReader(f.bytes))
}

// serveStream sends what one person sees: first everything, then each change, as server-sent events.
func (s *Server) serveStream(w http.ResponseWriter, r *http.Request) {
	p, ok := s.state.person(r.FormValue("user"))
	if !ok {
		http.Error(w, "no such user", http.StatusNotFound)
		return
	}
	snap, changes, stop := s.state.watch(p.ID)
	defer stop()
	snap.Delivery = s.wiring.get()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := stream{w: w, flush: http.NewResponseController(w)}
	out.send("snapshot", snap)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for out.err == nil {
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			out.comment()
		case c, open := <-changes:
			if !open {
				return
			}
			out.send("change", c)
		}
	}
}

// stream writes server-sent events; after an error it writes no more.
type stream struct {
	w     http.ResponseWriter
	flush *http.ResponseController
	err   error
}

func (st *stream) send(event string, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		st.err = err
		return
	}
	_, st.err = fmt.Fprintf(st.w, "event: %s\ndata: %s\n\n", event, raw)
	if st.err == nil {
		st.err = st.flush.Flush()
	}
}

func (st *stream) comment() {
	_, st.err = fmt.Fprint(st.w, ": still here\n\n")
	if st.err == nil {
		st.err = st.flush.Flush()
	}
}
