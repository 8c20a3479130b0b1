package review

// Add sums up usage. The model is the first one's, and the price unknown if
// either is.
func (u Usage) Add(v Usage) Usage {
	if u.Calls == 0 && u.Saved == 0 {
		return v
	}
	sum := u
	sum.Calls, sum.Saved = u.Calls+v.Calls, u.Saved+v.Saved
	sum.Input, sum.Cached, sum.Output = u.Input+v.Input, u.Cached+v.Cached, u.Output+v.Output
	if sum.Model == "" {
		sum.Model = v.Model
	}
	switch {
	case v.Calls == 0: // nothing was paid for
	case u.Calls == 0:
		sum.USD = v.USD
	case u.USD == nil || v.USD == nil:
		sum.USD = nil
	default:
		usd := *u.USD + *v.USD
		sum.USD = &usd
	}
	return sum
}
