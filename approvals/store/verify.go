package store

import (
	"context"
	"errors"

	"tandem/approvals"
)

// Broken implements approvals.Store.
func (s *Store) Broken(ctx context.Context) (*approvals.Break, error) { return nil, nil }

// Verify implements approvals.Chain.
func (s *Store) Verify(ctx context.Context) (*approvals.Break, error) {
	return nil, errors.New("not yet")
}

// Acknowledge implements approvals.Chain.
func (s *Store) Acknowledge(ctx context.Context, who, reason string) (approvals.Entry, error) {
	return approvals.Entry{}, errors.New("not yet")
}
