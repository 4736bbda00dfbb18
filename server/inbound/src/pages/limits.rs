//! How much a scan may ask for. A page beyond it is not looked at, and the batch is filed as it is.

/// What one batch may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimits {
    /// Pages in one batch.
    pub pages: usize,
    /// Pixels of one page, and of one picture on it.
    pub pixels: u64,
    /// Bytes that reading one page may take.
    pub memory: u64,
    /// At how many dots per inch pages without pixels of their own (PDF) are drawn.
    pub dots: u32,
}

impl Default for PageLimits {
    fn default() -> Self {
        Self { pages: 2_000, pixels: 200_000_000, memory: 1 << 30, dots: 300 }
    }
}

impl PageLimits {
    /// Whether a page of this size, held with so many bytes for each pixel, is within the limits.
    pub(crate) fn allow(&self, width: u64, height: u64, bytes_each: u64) -> bool {
        let pixels = u128::from(width) * u128::from(height);
        width > 0
            && height > 0
            && pixels <= u128::from(self.pixels)
            && pixels * u128::from(bytes_each.max(1)) <= u128::from(self.memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_within_limits() {
        let limits = PageLimits { pages: 1, pixels: 100, memory: 300, dots: 300 };
        for (width, height, each, wanted) in [
            (10, 10, 3, true),
            (10, 10, 4, false),
            (10, 11, 1, false),
            (0, 10, 1, false),
            (u64::MAX, u64::MAX, u64::MAX, false),
        ] {
            assert_eq!(limits.allow(width, height, each), wanted, "{width} × {height} × {each}");
        }
    }
}
