package commands

import (
	"strings"
)

// Fix asks for a remedy: the first one that a check's finding offers, or one by
// its name.
type Fix struct {
	What       string  `arg:"" name:"check-or-remedy"`     // a code in upper case, or a remedy's name in lower case
	Service    string  `arg:"" optional:"" name:"service"` // empty: the one that the conversation is about
	Reason     string  `placeholder:"TEXT"`                // the asker's words
	DryRun     bool    `name:"dry-run"`                    // say what would be done, and ask for nothing
	Param      []Param `placeholder:"PARAM" sep:"none"`    // in addition to those of the finding
	BreakGlass bool    `name:"break-glass"`                // act alone, in front of everybody
}

// Check is the code of the finding that is meant, or "".
func (f Fix) Check() string {
	if codeShape.MatchString(f.What) {
		return f.What
	}
	return ""
}

// Remedy is the name of the remedy that is meant, or "".
func (f Fix) Remedy() string {
	if f.Check() != "" {
		return ""
	}
	return f.What
}

// Procedure asks for a remedy that is asked for by its name alone.
type Procedure struct {
	Name       string  `arg:"" name:"procedure"`
	Service    string  `arg:"" optional:"" name:"service"`
	Reason     string  `placeholder:"TEXT"`
	DryRun     bool    `name:"dry-run"`
	Param      []Param `placeholder:"PARAM" sep:"none"`
	BreakGlass bool    `name:"break-glass"`
}

// Fix is the same ask in the form of the other command.
func (p Procedure) Fix() Fix {
	return Fix{
		What: p.Name, Service: p.Service, Reason: p.Reason, DryRun: p.DryRun, Param: p.Param, BreakGlass: p.BreakGlass,
	}
}

// Which requests are listed, besides the id of one.
const (
	PendingRequests = "pending"
	MyRequests      = "mine"
)

// Requests asks for the requests that are open, those that wait for votes, the
// asker's own, or one.
type Requests struct {
	Which string `arg:"" optional:"" name:"which"` // empty: open ones; PendingRequests, MyRequests, or an id
}

// Approve votes for a request.
type Approve struct {
	ID     string `arg:"" name:"id"`
	Reason string `placeholder:"TEXT"`
}

// Deny votes against a request.
type Deny struct {
	ID    string   `arg:"" name:"id"`
	Words []string `arg:"" optional:"" name:"reason" prose:""`
}

// Reason is why, in the voter's words.
func (d Deny) Reason() string { return strings.Join(d.Words, " ") }

// Cancel takes the asker's own request back.
type Cancel struct {
	ID    string   `arg:"" name:"id"`
	Words []string `arg:"" optional:"" name:"reason" prose:""`
}

// Reason is why, in the requester's words.
func (c Cancel) Reason() string { return strings.Join(c.Words, " ") }

// Audit asks for what the audit tells of a request.
type Audit struct {
	ID string `arg:"" name:"id"`
}

// Freeze pulls the kill switch: nothing is carried out.
type Freeze struct {
	Target string `arg:"" optional:"" name:"target"` // a service or a target; empty: everything
	Reason string `placeholder:"TEXT"`
}

// Unfreeze lets go of the kill switch.
type Unfreeze struct {
	Target string `arg:"" optional:"" name:"target"`
	Reason string `placeholder:"TEXT"`
}

// AuditVerify asks whether the audit chain is whole.
type AuditVerify struct{}

// AuditExport asks for the audit chain as JSON Lines.
type AuditExport struct {
	To string `placeholder:"FILE"` // empty: to the standard output
}

// AuditAcknowledge says that a person has seen where the audit chain is broken,
// so that remedies may run again.
type AuditAcknowledge struct {
	Words []string `arg:"" name:"reason" prose:""`
}

// Reason is what the person found out.
func (a AuditAcknowledge) Reason() string { return strings.Join(a.Words, " ") }

// KubernetesPolicy asks for the roles and admission policies that the bot needs
// in Kubernetes.
type KubernetesPolicy struct{}

func (Fix) command()              {}
func (Procedure) command()        {}
func (Requests) command()         {}
func (Approve) command()          {}
func (Deny) command()             {}
func (Cancel) command()           {}
func (Audit) command()            {}
func (Freeze) command()           {}
func (Unfreeze) command()         {}
func (AuditVerify) command()      {}
func (AuditExport) command()      {}
func (AuditAcknowledge) command() {}
func (KubernetesPolicy) command() {}

// Param is one thing that a remedy is told, written name=value.
type Param struct{ Name, Value string }

// UnmarshalText reads name=value.
func (p *Param) UnmarshalText(text []byte) error {
	name, value, found := strings.Cut(string(text), "=")
	if !found || name == "" {
		return &UsageError{Kind: BadParam, Word: string(text)}
	}
	*p = Param{Name: name, Value: value}
	return nil
}

// ParamsOf makes a map of parameters; the last of a name counts.
func ParamsOf(list []Param) map[string]string {
	if len(list) == 0 {
		return nil
	}
	params := make(map[string]string, len(list))
	for _, p := range list {
		params[p.Name] = p.Value
	}
	return params
}

// normalWhich is the canonical word of the readers' words for a list.
func normalWhich(which string) string {
	switch strings.ToLower(which) {
	case "pending", "pendentes", "pendente":
		return PendingRequests
	case "mine", "my", "meus", "minhas":
		return MyRequests
	default:
		return which
	}
}

// normalWhat is a code in upper case or a remedy's name in lower case.
func normalWhat(what string) string {
	if codeShape.MatchString(what) {
		return strings.ToUpper(what)
	}
	return strings.ToLower(what)
}
