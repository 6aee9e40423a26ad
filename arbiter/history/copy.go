package history

import (
	"context"
	"errors"
	"io"
)

// Export writes to w what the source has left, and returns how many records that
// was. It stops at the end, at the first error of the source, and when the context
// ends. The writer must then be closed, or abandoned.
//
// A history with gaps or damage is exported as well by calling Export again after
// such an error: a [*GapError] or a [*DamageError].
func Export(ctx context.Context, w *Writer, src Source) (records uint64, err error) {
	for {
		some, err := src.Read(ctx)
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return records, err
		}
		if err := w.Write(some); err != nil {
			return records, err
		}
		records += uint64(len(some))
	}
}
