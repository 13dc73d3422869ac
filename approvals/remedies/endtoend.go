package remedies

import "time"

// EndToEnd is the end-to-end check of the runbook: either a Job in the cluster or
// a command on the bot's own machine. Neither is given any text of a person.
type EndToEnd struct {
	Job     *Job
	Command *Command
}

// Job is what the Job runs.
type Job struct {
	Namespace, Image, ServiceAccount string
	Args                             []string
	Env                              map[string]string
	Deadline                         time.Duration // zero: 10 minutes
}

// Command is a program with its arguments; no shell reads it.
type Command struct {
	Path     string
	Args     []string
	Dir      string
	Env      map[string]string
	JUnit    string        // the file that it writes; empty: the report is in its output
	Deadline time.Duration // zero: 10 minutes
}
