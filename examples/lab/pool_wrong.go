// SPDX-License-Identifier: MIT

// pool_wrong.go - A connection for each request: each leaves its port in TIME_WAIT for 60 s.
package main

import (
	"log"
	"net/http"
)

func main() {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for i := 0; i < 100000; i++ {
		answer, err := client.Get("http://127.0.0.1:8080/")
		if err != nil {
			log.Fatal(err) // "cannot assign requested address": no local port is left
		}
		answer.Body.Close()
	}
}
