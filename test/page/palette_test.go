package page

import (
	"cmp"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"slices"
	"testing"
)

// shrink writes a picture anew with the colours that it has most of, at half
// the size and less.
func shrink(t *testing.T, file string) {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	whole, err := png.Decode(in)
	if err != nil {
		t.Fatal(err)
	}
	small := image.NewPaletted(whole.Bounds(), paletteOf(whole))
	nearest := map[color.Color]uint8{}
	for y := range whole.Bounds().Dy() {
		for x := range whole.Bounds().Dx() {
			c := whole.At(x, y)
			index, known := nearest[c]
			if !known {
				index = uint8(small.Palette.Index(c))
				nearest[c] = index
			}
			small.SetColorIndex(x, y, index)
		}
	}
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(out, small); err != nil {
		t.Fatal(err)
	}
}

// paletteOf is the 256 commonest colours of a picture, alike ones counted as one.
func paletteOf(picture image.Image) color.Palette {
	type bucket [3]uint8
	count, first := map[bucket]int{}, map[bucket]color.Color{}
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			c := picture.At(x, y)
			r, g, b, _ := c.RGBA()
			of := bucket{uint8(r >> 12), uint8(g >> 12), uint8(b >> 12)}
			if count[of]++; count[of] == 1 {
				first[of] = c
			}
		}
	}
	common := slices.SortedFunc(maps.Keys(count), func(a, b bucket) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), slices.Compare(a[:], b[:]))
	})
	var palette color.Palette
	for _, of := range common[:min(256, len(common))] {
		palette = append(palette, first[of])
	}
	return palette
}
