//! The physical limit: the shipped kernel compared with memchr, which reads the same buffer and does
//! less: one load where the kernel needs two. memchr picks AVX2 at run time, the kernel does not.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

#[path = "../../{{cookiecutter.project_slug}}/rust/kernel.rs"]
mod kernel;

const ABSENT: u8 = b'!';

fn bandwidth(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bandwidth");
    for size in [1_000_000, 100_000_000] {
        let text: Vec<u8> = (b'a'..=b'z').cycle().take(size).collect();
        group.throughput(Throughput::Bytes(size as u64));
        group.sample_size(50);
        group.bench_with_input(BenchmarkId::new("kernel", size), &text, |bencher, text| {
            bencher.iter(|| kernel::count_doubles(black_box(text)))
        });
        group.bench_with_input(BenchmarkId::new("memchr", size), &text, |bencher, text| {
            bencher.iter(|| memchr::memchr(black_box(ABSENT), black_box(text)))
        });
    }
}

criterion_group!(benches, bandwidth);
criterion_main!(benches);
