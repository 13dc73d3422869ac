package store

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed migrations
var migrations embed.FS

// migrationTime bounds the making of tables.
const migrationTime = 2 * time.Minute

// dialect is all in which the two databases differ here.
type dialect struct {
	name  goose.Dialect
	files string // folder of the migrations
	lock  string // what has a SELECT lock its row
}

// migrate brings our tables, then River's, up to date.
func (s *Store) migrate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, migrationTime)
	defer cancel()
	files, err := fs.Sub(migrations, s.kind.files)
	if err != nil {
		return err
	}
	ours, err := goose.NewProvider(s.kind.name, s.db, files,
		goose.WithTableName("tandem_migrations"), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	has, knows, err := ours.GetVersions(ctx)
	if err != nil {
		return explain("look at the tables", err)
	}
	if has > knows {
		return errors.New("the database was written by a newer bot: run that one")
	}
	if _, err := ours.Up(ctx); err != nil {
		return explain("make the tables", err)
	}
	rivers, err := rivermigrate.New(s.driver, &rivermigrate.Config{Logger: s.quiet()})
	if err != nil {
		return err
	}
	if _, err := rivers.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return explain("make the tables of the jobs", err)
	}
	return nil
}
