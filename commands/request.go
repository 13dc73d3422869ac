package commands

import "context"

// requestKey is where a context keeps the id of what it is for.
type requestKey struct{}

// WithRequest returns a context whose log records and spans carry the id of
// what a person asked. People read the same id on the answer.
func WithRequest(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestID returns the id that WithRequest put into a context, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}
