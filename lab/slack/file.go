package slack

import (
	"bytes"
	"crypto/rand"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"sync"
	"unicode/utf8"
)

const (
	maxFile     = 8 << 20
	previewSize = 2000
)

// File is a file of a message. Preview is its beginning when it is text.
type File struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Title      string `json:"title"`
	Mimetype   string `json:"mimetype"`
	Size       int    `json:"size"`
	User       string `json:"user"`
	Mode       string `json:"mode"`
	Preview    string `json:"preview,omitempty"`
	URLPrivate string `json:"url_private"`
	Permalink  string `json:"permalink"`

	secret string
	bytes  []byte
}

// files holds the uploads: first reserved, then filled by a POST, then completed.
type files struct {
	mu   sync.Mutex
	byID map[string]*File
}

func newFiles() *files { return &files{byID: map[string]*File{}} }

func (fs *files) reserve(name string, size int) File {
	f := &File{ID: "F" + rand.Text()[:10], Name: name, Title: name, Size: size, Mode: "hosted", secret: rand.Text()}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.byID[f.ID] = f
	return *f
}

// fill takes the bytes of the upload that has this secret; their number must be the one announced.
func (fs *files) fill(secret string, body []byte) bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, f := range fs.byID {
		if f.secret == secret && f.bytes == nil && len(body) == f.Size {
			f.bytes = body
			return true
		}
	}
	return false
}

func (fs *files) complete(id, title string) (File, bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f, ok := fs.byID[id]
	if !ok || f.bytes == nil {
		return File{}, false
	}
	if title != "" {
		f.Title = title
	}
	f.Mimetype = http.DetectContentType(f.bytes)
	if utf8.Valid(f.bytes) {
		f.Preview = cut(string(f.bytes), previewSize)
	}
	return *f, true
}

func (fs *files) content(id string) (File, bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f, ok := fs.byID[id]
	if !ok || f.bytes == nil {
		return File{}, false
	}
	return *f, true
}

// serveUpload takes the bytes of a file, raw or as the first file of a multipart form.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request) {
	body, err := uploadedBytes(r)
	if err != nil || !s.files.fill(r.PathValue("secret"), body) {
		http.Error(w, "no such upload, or not the announced length", http.StatusBadRequest)
		return
	}
	_, err = io.WriteString(w, "OK")
	if err != nil {
		s.log.Debug("answer upload", "error", err)
	}
}

func uploadedBytes(r *http.Request) ([]byte, error) {
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	body := io.LimitReader(r.Body, maxFile+1)
	if kind != "multipart/form-data" {
		return io.ReadAll(body)
	}
	form := multipart.NewReader(body, params["boundary"])
	for {
		part, err := form.NextPart()
		if err != nil {
			return nil, err
		}
		if part.FileName() != "" {
			return io.ReadAll(part)
		}
	}
}

// serveFile gives a file to people. It is always a download: what an app uploads must not run in the page.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) {
	f, ok := s.files.content(r.PathValue("id"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", s.cfg.Now(), bytes.NewReader(f.bytes))
}
