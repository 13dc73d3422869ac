package kubernetes

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// How the kubelet's log endpoint behaves.
const (
	followEvery = 100 * time.Millisecond
	logLife     = 30 * time.Minute // of one request that follows
)

// kubelet serves the logs of the node's pods to the API server, and to nobody
// else: callers show a certificate of the cluster's authority.
type kubelet struct {
	server *http.Server
	port   int
	served chan struct{}
}

func startKubelet(ctx context.Context, f Files, known *logs) (*kubelet, error) {
	secrets, err := kubeletTLS(f)
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", podAddress+":0")
	if err != nil {
		return nil, fmt.Errorf("listen for the kubelet: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", known.serve)
	k := &kubelet{served: make(chan struct{}), port: listener.Addr().(*net.TCPAddr).Port}
	k.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: logLife}
	go func() {
		defer close(k.served)
		_ = k.server.Serve(tls.NewListener(listener, secrets)) // it ends by close alone
	}()
	return k, nil
}

func (k *kubelet) close() {
	_ = k.server.Close()
	<-k.served
}

func kubeletTLS(f Files) (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(f.KubeletCert(), f.KubeletKey())
	if err != nil {
		return nil, fmt.Errorf("read the kubelet's keys: %w", err)
	}
	ca, err := os.ReadFile(f.CA())
	if err != nil {
		return nil, fmt.Errorf("read the cluster's authority: %w", err)
	}
	callers := x509.NewCertPool()
	if !callers.AppendCertsFromPEM(ca) {
		return nil, errors.New("read the cluster's authority: no certificate in it")
	}
	return &tls.Config{
		Certificates: []tls.Certificate{cert}, ClientCAs: callers, ClientAuth: tls.RequireAndVerifyClientCert,
		MinVersion: tls.VersionTLS12, VerifyConnection: onlyTheServer,
	}, nil
}

// onlyTheServer refuses the other certificates of the authority.
func onlyTheServer(state tls.ConnectionState) error {
	if name := state.PeerCertificates[0].Subject.CommonName; name != toKubelet {
		return fmt.Errorf("%q may not read logs", name)
	}
	return nil
}

// serve answers one request for logs.
func (l *logs) serve(w http.ResponseWriter, r *http.Request) {
	s, ok := l.find(r.PathValue("namespace"), r.PathValue("pod"))
	if !ok || s.file == "" {
		http.Error(w, "no log of that pod", http.StatusNotFound)
		return
	}
	query := r.URL.Query()
	if query.Get("previous") == "true" { // processes of the lab come back as new pods
		http.Error(w, fmt.Sprintf("previous terminated container %q in pod %q not found", r.PathValue("container"), r.PathValue("pod")), http.StatusBadRequest)
		return
	}
	file, err := os.Open(s.file)
	if err != nil {
		http.Error(w, "the pod has not written yet", http.StatusNotFound)
		return
	}
	defer file.Close()
	w.Header().Set("Content-Type", "text/plain")
	if err := s.seek(file, query.Get("tailLines")); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if query.Get("follow") == "true" {
		s.follow(r.Context(), w, file)
		return
	}
	var lines io.Reader = file
	if since, stamped := query.Get("sinceTime"), query.Get("timestamps") == "true"; since != "" || stamped {
		if lines, err = stampedLines(file, since, stamped); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	_, _ = io.Copy(w, limited(lines, query.Get("limitBytes"))) // a caller that went away needs none
}

// stampedLines are the lines since a time, each with its time before it if
// wanted. A kubelet knows when a line was written; here the line says it, or the
// one before it does.
func stampedLines(file io.Reader, since string, stamped bool) (io.Reader, error) {
	var from, at time.Time
	if since != "" {
		var err error
		if from, err = time.Parse(time.RFC3339, since); err != nil {
			return nil, fmt.Errorf("sinceTime is %q: want RFC 3339", since)
		}
	}
	var out bytes.Buffer
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var line struct {
			Timestamp time.Time `json:"timestamp"`
		}
		if json.Unmarshal(scanner.Bytes(), &line) == nil && !line.Timestamp.IsZero() {
			at = line.Timestamp
		}
		if at.Before(from) {
			continue
		}
		if stamped {
			out.WriteString(at.UTC().Format(time.RFC3339Nano) + " ")
		}
		out.Write(scanner.Bytes())
		out.WriteByte('\n')
	}
	return &out, scanner.Err()
}

// limited is the reader up to a number of bytes, or all of it.
func limited(from io.Reader, limit string) io.Reader {
	if n, err := strconv.ParseInt(limit, 10, 64); err == nil && n > 0 {
		return io.LimitReader(from, n)
	}
	return from
}

// seek goes to where the pod's lines begin, or the last ones of them.
func (s *source) seek(file io.ReadSeeker, tail string) error {
	if _, err := file.Seek(s.from, io.SeekStart); err != nil || tail == "" {
		return err
	}
	wanted, err := strconv.Atoi(tail)
	if err != nil || wanted < 0 {
		return fmt.Errorf("tailLines is %q: want a number", tail)
	}
	starts := []int64{s.from}
	for reader, at := bufio.NewReader(file), s.from; ; {
		line, err := reader.ReadBytes('\n')
		if at += int64(len(line)); bytes.HasSuffix(line, []byte("\n")) {
			starts = append(starts, at)
		}
		if err != nil {
			break
		}
	}
	_, err = file.Seek(starts[max(0, len(starts)-1-wanted)], io.SeekStart)
	return err
}

// follow sends what is written until the pod or the caller has gone.
func (s *source) follow(ctx context.Context, w http.ResponseWriter, file io.Reader) {
	flush := http.NewResponseController(w)
	for {
		ended := isClosed(s.ended) // before the copy, so that the last lines are in it
		if _, err := io.Copy(w, file); err != nil || ended {
			return
		}
		if flush.Flush() != nil || ctx.Err() != nil {
			return
		}
		pause(ctx, followEvery)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
