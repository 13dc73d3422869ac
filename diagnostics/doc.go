// Package diagnostics finds the cause of a failure of Vault and SPIFFE as a
// service sees it, and tells the cause from its consequences.
//
// A Probe gathers typed facts about one thing. A Check, written as YAML, says
// which facts it needs, on which other checks it depends, and how CEL judges
// the facts. The Runner gathers each fact once and judges every check, and the
// Report says what is wrong, what follows from it, and what could not be seen.
//
// Unknown is an answer of its own: a probe that could not look never makes a
// check pass or fail. Facts hold no secret values, because their types have no
// place for one.
package diagnostics
