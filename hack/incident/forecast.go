package main

import "io"

func tellForecasts(io.Writer, options) (verdict, error) { return verdict{}, nil }
func tellBlame(io.Writer, options) (verdict, error)     { return verdict{}, nil }
func tellSharing(io.Writer, options) (verdict, error)   { return verdict{}, nil }
