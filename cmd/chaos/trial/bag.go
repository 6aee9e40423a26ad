package trial

import "math/rand/v2"

// A bag deals kinds of faults in random order, each as often as the others: it
// is filled with one of each when it is empty.
type bag struct {
	all  []*kind
	left []*kind
	rng  *rand.Rand
}

func newBag(all []*kind, rng *rand.Rand) *bag { return &bag{all: all, rng: rng} }

// deal returns kinds of faults to try, one of which, or of pairs two, the caller
// then takes. They are in random order, those due first.
func (b *bag) deal() []*kind {
	if len(b.left) == 0 {
		b.left = append(b.left, b.all...)
		b.rng.Shuffle(len(b.left), func(i, j int) { b.left[i], b.left[j] = b.left[j], b.left[i] })
	}
	return b.left
}

// take removes a kind that was dealt.
func (b *bag) take(k *kind) {
	for i, other := range b.left {
		if other == k {
			b.left = append(b.left[:i:i], b.left[i+1:]...)
			return
		}
	}
}
