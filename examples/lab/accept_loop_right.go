// SPDX-License-Identifier: MIT

// accept_loop_right.go - An echo server. Without a descriptor it waits longer each time, as net/http does.
package main

import (
	"io"
	"log"
	"net"
	"time"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:8080")
	if err != nil {
		log.Fatal(err)
	}
	pause := 5 * time.Millisecond
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Printf("%v; again in %v", err, pause)
			time.Sleep(pause)
			if pause *= 2; pause > time.Second {
				pause = time.Second
			}
			continue
		}
		pause = 5 * time.Millisecond
		go func() {
			defer conn.Close()
			io.Copy(conn, conn)
		}()
	}
}
