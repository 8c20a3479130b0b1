package sandbox

// bounded keeps the first bytes that are written to it, and counts the others.
type bounded struct {
	kept  []byte
	limit int64
	cut   int64
}

func (b *bounded) Write(p []byte) (int, error) {
	room := b.limit - int64(len(b.kept))
	keep := p[:min(int64(len(p)), room)]
	b.kept = append(b.kept, keep...)
	b.cut += int64(len(p) - len(keep))
	return len(p), nil
}
