//go:build !faultpoints

package approvals

func faultpoint(Fault) {}
