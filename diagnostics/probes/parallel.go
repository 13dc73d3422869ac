package probes

import "sync"

const maxParallel = 8

// parallel calls f for 0 to n-1, some at a time, and waits for all. A panic in
// one of them becomes a panic of the caller, whose runner knows what to do with
// it; in its own goroutine it would end the process.
func parallel(n int, f func(int)) {
	var (
		wg     sync.WaitGroup
		once   sync.Once
		broken any
		slots  = make(chan struct{}, maxParallel)
	)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					once.Do(func() { broken = r })
				}
				<-slots
			}()
			f(i)
		})
	}
	wg.Wait()
	if broken != nil {
		panic(broken)
	}
}
