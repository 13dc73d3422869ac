package config

import (
	"net"
	"path/filepath"
	"strings"
)

// Path is a file, a folder or a pattern of files, absolute once loaded.
type Path string

// in returns the path, relative to a folder unless it is absolute.
func (p Path) in(dir string) Path {
	if p == "" || filepath.IsAbs(string(p)) {
		return p
	}
	return Path(filepath.Join(dir, string(p)))
}

// Endpoint is a Unix socket or a host with a port: unix:///path once loaded, or
// tcp://host:port or host:port as written.
type Endpoint string

// in returns the endpoint with an absolute path if it is a socket.
func (e Endpoint) in(dir string) Endpoint {
	path, isSocket := strings.CutPrefix(string(e), "unix:")
	if _, _, err := net.SplitHostPort(path); !isSocket && (err == nil || strings.Contains(path, "://")) {
		return e
	}
	if rest, ok := strings.CutPrefix(path, "//"); ok {
		path = rest
	}
	return Endpoint("unix://" + string(Path(path).in(dir)))
}
