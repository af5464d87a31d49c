// SPDX-License-Identifier: MIT

// pool_right.go - Connections are kept and used again.
package main

import (
	"io"
	"log"
	"net/http"
)

func main() {
	// The default keeps 2 idle connections a host, too few for many goroutines.
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	for i := 0; i < 100000; i++ {
		answer, err := client.Get("http://127.0.0.1:8080/")
		if err != nil {
			log.Fatal(err)
		}
		io.Copy(io.Discard, answer.Body) // a body that is not read to its end costs the connection
		answer.Body.Close()
	}
}
