package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"tandem/approvals"
	"tandem/commands"
	"tandem/config"
	"tandem/store"
)

// auditPage is how many entries are read at once.
const auditPage = 1000

// auditShow prints what the audit has of one request, with its hashes.
func (a *app) auditShow(ctx context.Context, c commands.Audit) int {
	return a.withStore(ctx, func(s *store.Store, _ *config.Config) int {
		id := requestID(c.ID)
		trail, err := s.Trail(ctx, approvals.TrailFilter{Request: id})
		if err != nil {
			return a.untold(err)
		}
		if len(trail) == 0 {
			return a.noRequest(id)
		}
		return a.page(commands.TrailPage(id, trail, a.words), nil)
	})
}

// auditVerify says whether the audit is whole. The status is 0 for yes, 1 for no,
// and 3 when nobody could look.
func (a *app) auditVerify(ctx context.Context) int {
	return a.withStore(ctx, func(s *store.Store, _ *config.Config) int {
		broken, err := s.Verify(ctx)
		if err != nil {
			return a.untold(err)
		}
		found := commands.Verified{Broken: broken}
		if broken == nil {
			found.Entries, err = eachEntry(ctx, s, found.Add)
		}
		if err != nil {
			return a.untold(err)
		}
		if status := a.page(commands.VerifyPage(found, a.words), nil); status != exitOK || broken == nil {
			return status
		}
		return exitFinding
	})
}

// auditExport writes the whole audit, from the first entry to the head.
func (a *app) auditExport(ctx context.Context, c commands.AuditExport) int {
	return a.withStore(ctx, func(s *store.Store, _ *config.Config) int {
		if c.To == "" {
			if _, err := export(ctx, s, a.stdout); err != nil {
				return a.untold(err)
			}
			return exitOK
		}
		n, err := exportTo(ctx, s, c.To)
		if err != nil {
			return a.untold(err)
		}
		return a.say(a.words.Say("exported", "File", c.To, "N", n))
	})
}

// exportTo writes into a file that is not there yet: evidence is not overwritten.
func exportTo(ctx context.Context, s *store.Store, path string) (n int64, err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, fmt.Errorf("write the audit: %w: name a file that is not there yet", err)
	}
	n, err = export(ctx, s, file)
	if err == nil {
		err = file.Sync()
	}
	return n, errors.Join(err, file.Close())
}

// export writes a line of JSON an entry: the fields of its note, as they were
// hashed, and behind them number, before and hash.
func export(ctx context.Context, s *store.Store, to io.Writer) (int64, error) {
	out := bufio.NewWriter(to)
	n, err := eachEntry(ctx, s, func(e approvals.Entry) error {
		line, err := json.Marshal(e)
		if err == nil {
			_, err = out.Write(append(line, '\n'))
		}
		return err
	})
	return n, errors.Join(err, out.Flush())
}

// eachEntry calls do with each entry of the audit, from the first on, and returns
// the number of the last.
func eachEntry(ctx context.Context, s *store.Store, do func(approvals.Entry) error) (last int64, err error) {
	for {
		entries, err := s.Trail(ctx, approvals.TrailFilter{After: last, Limit: auditPage})
		if err != nil {
			return last, err
		}
		for _, e := range entries {
			if err := do(e); err != nil {
				return last, err
			}
			last = e.Number
		}
		if len(entries) < auditPage {
			return last, nil
		}
	}
}

// auditAcknowledge says that a person has looked at where the audit is broken.
func (a *app) auditAcknowledge(ctx context.Context, c commands.AuditAcknowledge) int {
	return a.withStore(ctx, func(s *store.Store, _ *config.Config) int {
		e, err := s.Acknowledge(ctx, a.atTerminal(), c.Reason())
		switch {
		case errors.Is(err, approvals.ErrWhole):
			return a.say(a.words.Say("nothing_broken"))
		case err != nil:
			return a.untold(err)
		}
		return a.say(a.words.Say("acknowledged", "Number", e.Number))
	})
}
