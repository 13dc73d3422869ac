// Package bench measures the bot. As the program that people run, on a whole lab
// with its real servers: a diagnosis against a person who asks the same
// questions by hand, the start, the idle memory and the size. Before a Slack that
// only answers: its acknowledgements against the least that slack-go's examples
// do, and at work on many diagnoses against itself at rest. It holds only
// benchmarks, which print their figures and hold nobody to them, and the tests
// of what they measure with.
package bench
