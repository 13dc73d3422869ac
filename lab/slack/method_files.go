package slack

import (
	"encoding/json"
	"net/url"
	"strings"
)

func (s *Server) fileMethods() []method {
	write := []string{"files:write"}
	return []method{
		{name: "files.getUploadURLExternal", scopes: write, tier: tier4, formOnly: true, handle: s.filesGetUploadURL},
		{name: "files.completeUploadExternal", scopes: write, tier: tier4, formOnly: true, handle: s.filesCompleteUpload},
	}
}

func (s *Server) filesGetUploadURL(c call) (reply, error) {
	name, length := c.args.str("filename"), c.args.number("length", 0)
	switch {
	case name == "":
		return nil, invalidArguments("missing required field: filename", "")
	case length <= 0 || length > maxFile:
		return nil, refuse("invalid_arguments")
	}
	f := s.files.reserve(name, length)
	return reply{"upload_url": s.URL() + "/upload/v1/" + f.secret, "file_id": f.ID}, nil
}

func (s *Server) filesCompleteUpload(c call) (reply, error) {
	files, err := s.uploaded(c.args)
	if err != nil {
		return nil, err
	}
	channels := strings.FieldsFunc(c.args.str("channels")+","+c.args.str("channel_id"), func(r rune) bool { return r == ',' })
	for _, id := range channels {
		if err := s.share(id, files, c.args); err != nil {
			return nil, err
		}
	}
	return reply{"files": files}, nil
}

// uploaded is the files that the arguments name, each uploaded and now titled.
func (s *Server) uploaded(a args) ([]File, error) {
	var named []struct{ ID, Title string }
	if err := json.Unmarshal(a.raw("files"), &named); err != nil || len(named) == 0 {
		return nil, refuse("invalid_arguments")
	}
	var files []File
	for _, n := range named {
		f, ok := s.files.complete(n.ID, n.Title)
		if !ok {
			return nil, refuse("file_not_found")
		}
		f.User = s.cfg.App.UserID
		f.URLPrivate = s.URL() + "/files/" + f.ID + "/" + url.PathEscape(f.Name)
		f.Permalink = f.URLPrivate
		files = append(files, f)
	}
	return files, nil
}

// share posts the files as one message.
func (s *Server) share(channelID string, files []File, a args) error {
	channel, err := s.writableChannel(channelID)
	if err != nil {
		return err
	}
	thread, err := s.thread(channel, a.str("thread_ts"))
	if err != nil {
		return err
	}
	s.state.post(channel.ID, Message{
		User: s.cfg.App.UserID, BotID: s.cfg.App.BotID, AppID: s.cfg.App.ID, Text: a.str("initial_comment"),
		ThreadTS: thread, Files: files,
	})
	return nil
}
