package pullrequest

// Version changes with the rules; those are part of the program, so that one
// process knows one version only; what the
// host tells of a pull request's commits, their SHA names.
func (*Agent) Version() string { return "1" }
