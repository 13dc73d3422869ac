// Package e2e tries the bot, as the program that people run, on a whole lab
// with its real servers. It holds only tests.
package e2e
