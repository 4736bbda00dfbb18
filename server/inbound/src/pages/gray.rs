//! A page as shades of gray, which is all that barcodes, blank pages and separators need.

/// Pages are turned in squares, so that neither side is walked with a stride that misses every cache line.
const SQUARE: usize = 32;
/// Dots per inch of a page whose file does not say, when its shorter side is as wide as A4.
const A4_SHORT_INCHES: f32 = 8.27;

/// One page, row by row from the top, 0 black and 255 white.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gray {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
    /// Dots per inch, 0 when nobody said.
    dots: u32,
}

impl Gray {
    /// A page of these pixels; none where their number is not that of the page, or where there are none.
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Option<Self> {
        let whole = width.checked_mul(height)? == pixels.len() && !pixels.is_empty();
        whole.then_some(Self { width, height, pixels, dots: 0 })
    }

    /// A page of one shade.
    pub fn blank(width: usize, height: usize, shade: u8) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        Self { width, height, pixels: vec![shade; width * height], dots: 0 }
    }

    /// The same page at this many dots per inch.
    #[must_use]
    pub fn at_dots(mut self, dots: u32) -> Self {
        self.dots = dots;
        self
    }

    /// How many pixels wide.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many pixels high.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The pixels, row by row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Dots per inch: what the file says where that can be, else what it would be if this was a sheet of A4.
    pub fn dots_per_inch(&self) -> f32 {
        if (50..=2_400).contains(&self.dots) { lossy(self.dots as usize) } else { self.dots_of_a4() }
    }

    fn dots_of_a4(&self) -> f32 {
        (lossy(self.width.min(self.height)) / A4_SHORT_INCHES).max(50.0)
    }

    /// One row; empty beyond the page.
    pub(crate) fn row(&self, y: usize) -> &[u8] {
        self.pixels.get(y * self.width..(y + 1) * self.width).unwrap_or_default()
    }

    /// One pixel; white beyond the page.
    pub(crate) fn at(&self, x: usize, y: usize) -> u8 {
        if x < self.width { self.row(y).get(x).copied().unwrap_or(255) } else { 255 }
    }

    #[cfg(test)]
    pub(crate) fn set(&mut self, x: usize, y: usize, shade: u8) {
        if x < self.width
            && let Some(pixel) = self.pixels.get_mut(y * self.width + x)
        {
            *pixel = shade;
        }
    }

    /// The page with each square of `factor` pixels made one, of the shade between them: thin bars stay visible as gray.
    #[must_use]
    pub(crate) fn smaller(&self, factor: usize) -> Self {
        let factor = factor.clamp(1, self.width.min(self.height));
        if factor == 1 {
            return self.clone();
        }
        let (width, height) = (self.width / factor, self.height / factor);
        let area = u32::try_from(factor * factor).unwrap_or(u32::MAX);
        let mut pixels = Vec::with_capacity(width * height);
        let mut sums = vec![0_u32; width];
        for y in 0..height {
            sums.fill(0);
            for row in y * factor..(y + 1) * factor {
                for (sum, square) in sums.iter_mut().zip(self.row(row).chunks_exact(factor)) {
                    *sum += square.iter().map(|&pixel| u32::from(pixel)).sum::<u32>();
                }
            }
            pixels.extend(sums.iter().map(|sum| u8::try_from(sum / area).unwrap_or(255)));
        }
        let factor = u32::try_from(factor).unwrap_or(1);
        Self { width, height, pixels, dots: self.dots / factor }
    }

    /// The page turned by a quarter, clockwise.
    #[must_use]
    pub(crate) fn turned(&self) -> Self {
        let mut pixels = vec![255; self.pixels.len()];
        for top in (0..self.height).step_by(SQUARE) {
            for left in (0..self.width).step_by(SQUARE) {
                for y in top..(top + SQUARE).min(self.height) {
                    for x in left..(left + SQUARE).min(self.width) {
                        pixels[x * self.height + (self.height - 1 - y)] = self.pixels[y * self.width + x];
                    }
                }
            }
        }
        Self { width: self.height, height: self.width, pixels, dots: self.dots }
    }

    /// The page with each pixel the middle one of its nine: single specks vanish, edges stay.
    #[must_use]
    pub(crate) fn despeckled(&self) -> Self {
        let mut out = self.clone();
        for y in 1..self.height.saturating_sub(1) {
            let (above, here, below) = (self.row(y - 1), self.row(y), self.row(y + 1));
            for x in 1..self.width.saturating_sub(1) {
                let mut nine = [
                    above[x - 1],
                    above[x],
                    above[x + 1],
                    here[x - 1],
                    here[x],
                    here[x + 1],
                    below[x - 1],
                    below[x],
                    below[x + 1],
                ];
                let (_, middle, _) = nine.select_nth_unstable(4);
                out.pixels[y * self.width + x] = *middle;
            }
        }
        out
    }

    /// The page at other width and height, each new pixel that between its four nearest.
    #[must_use]
    pub(crate) fn scaled(&self, width: usize, height: usize) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            let (top, down) = place(y, height, self.height);
            for x in 0..width {
                let (left, along) = place(x, width, self.width);
                let upper = mix(self.clamped(left, top), self.clamped(left + 1, top), along);
                let lower = mix(self.clamped(left, top + 1), self.clamped(left + 1, top + 1), along);
                pixels.push(mix(upper, lower, down));
            }
        }
        let dots = u64::from(self.dots) * width as u64 / self.width.max(1) as u64;
        Self { width, height, pixels, dots: u32::try_from(dots).unwrap_or(0) }
    }

    fn clamped(&self, x: usize, y: usize) -> u8 {
        self.at(x.min(self.width - 1), y.min(self.height - 1))
    }

    /// The shade that parts dark from light best on this page (Otsu's), or none where there is but one shade.
    pub(crate) fn threshold(&self) -> Option<u8> {
        let mut counts = [0_u64; 256];
        for &pixel in &self.pixels {
            counts[usize::from(pixel)] += 1;
        }
        let total = self.pixels.len() as u64;
        let sum: u64 = (0_u64..).zip(&counts).map(|(shade, count)| count * shade).sum();
        let (mut below, mut below_sum, mut best) = (0_u64, 0_u64, (0_u128, None));
        for (shade, count) in (0..=u8::MAX).zip(counts) {
            below += count;
            below_sum += count * u64::from(shade);
            let above = total - below;
            if below == 0 || above == 0 {
                continue;
            }
            // The distance of the two means, weighed by how many are on either side, in whole numbers.
            let means =
                (u128::from(below_sum) * u128::from(total)).abs_diff(u128::from(sum) * u128::from(below));
            let weight = (means / u128::from(total)).pow(2) / (u128::from(below) * u128::from(above)).max(1);
            if weight > best.0 || best.1.is_none() {
                best = (weight, Some(shade));
            }
        }
        best.1
    }
}

/// The pixel before the place of `to` of `length` in a row of `from`, and how far behind it that is, in 256ths.
fn place(to: usize, length: usize, from: usize) -> (usize, u32) {
    let exact = ((to * 2 + 1) * from * 128 / length).saturating_sub(128);
    (exact / 256, u32::try_from(exact % 256).unwrap_or(0))
}

fn mix(one: u8, other: u8, share: u32) -> u8 {
    u8::try_from((u32::from(one) * (256 - share) + u32::from(other) * share) / 256).unwrap_or(255)
}

/// A count of pixels as a measure; pages are far smaller than where this loses anything.
#[expect(clippy::cast_precision_loss, reason = "pages have far fewer than 2^23 pixels a side")]
pub(crate) fn lossy(count: usize) -> f32 {
    count as f32
}

/// A measure as a count of pixels, never below 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "measures of pages, clamped")]
pub(crate) fn whole(measure: f32) -> usize {
    measure.clamp(0.0, 1e9).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: usize, height: usize) -> Gray {
        let pixels = (0..width * height).map(|at| u8::try_from(at % 251).unwrap()).collect();
        Gray::new(width, height, pixels).unwrap()
    }

    #[test]
    fn a_page_has_as_many_pixels_as_it_says() {
        for (width, height, pixels, wanted) in
            [(2, 3, 6, true), (2, 3, 5, false), (0, 3, 0, false), (usize::MAX, 2, 6, false)]
        {
            assert_eq!(
                Gray::new(width, height, vec![0; pixels]).is_some(),
                wanted,
                "{width} {height} {pixels}"
            );
        }
    }

    #[test]
    fn four_quarters_make_a_whole_turn() {
        let page = ramp(7, 45);
        let once = page.turned();
        assert_eq!((once.width(), once.height()), (45, 7));
        assert_eq!(once.at(44, 0), page.at(0, 0), "what was at the upper left is at the upper right");
        assert_eq!(once.turned().turned().turned(), page);
    }

    #[test]
    fn smaller_is_the_shade_between() {
        let page = Gray::new(4, 2, vec![0, 100, 255, 255, 0, 100, 255, 255]).unwrap();
        assert_eq!(page.smaller(2).pixels(), [50, 255]);
        assert_eq!(page.scaled(4, 2), page);
    }

    #[test]
    fn the_threshold_parts_dark_from_light() {
        let page = Gray::new(4, 1, vec![10, 20, 200, 210]).unwrap();
        assert!((20..200).contains(&page.threshold().unwrap()));
        assert_eq!(Gray::blank(3, 3, 255).threshold(), None);
    }

    #[test]
    fn specks_vanish() {
        let mut page = Gray::blank(9, 9, 255);
        page.set(4, 4, 0);
        assert_eq!(page.despeckled(), Gray::blank(9, 9, 255));
    }
}
