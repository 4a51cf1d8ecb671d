//! The library's collections and sorting.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use super::operations;

operations! {
    "BTreeMap" => |i, o| {
        let mut map = BTreeMap::new();
        for _ in 0..i.below(60) {
            match i.below(4) {
                0 => o.put(map.remove(&i.u8())),
                1 => o.put(map.get(&i.u8()).copied()),
                _ => o.put(map.insert(i.u8(), i.u128())),
            }
        }
        let (a, b) = (i.u8(), i.u8());
        for (key, value) in map.range(a.min(b)..=a.max(b)) {
            o.put((*key, *value));
        }
        o.put((map.len(), map.first_key_value().map(|(k, v)| (*k, *v)), map.pop_last()))
    };
    "BTreeMap of strings" => |i, o| {
        let mut map: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for _ in 0..i.below(20) {
            map.entry(format!("{:x}", i.u16())).or_default().push(i.u64());
        }
        for (key, values) in map {
            o.put(key);
            values.into_iter().for_each(|value| o.put(value));
        }
    };
    "BTreeSet" => |i, o| {
        let a: BTreeSet<u16> = (0..i.below(20)).map(|_| i.u16()).collect();
        let b: BTreeSet<u16> = (0..i.below(20)).map(|_| i.u16()).collect();
        a.intersection(&b).for_each(|x| o.put(*x));
        a.symmetric_difference(&b).for_each(|x| o.put(*x))
    };
    // The order of a HashMap is not the host's: only what is in it counts.
    "HashMap" => |i, o| {
        let mut map: HashMap<u64, u128> = HashMap::new();
        for _ in 0..i.below(50) {
            match i.below(4) {
                0 => o.put(map.remove(&(i.u64() & 31))),
                1 => o.put(map.contains_key(&(i.u64() & 31))),
                _ => o.put(map.insert(i.u64() & 31, i.u128())),
            }
        }
        let mut all: Vec<_> = map.into_iter().collect();
        all.sort_unstable();
        all.into_iter().for_each(|pair| o.put(pair))
    };
    "HashMap of byte strings" => |i, o| {
        let mut map: HashMap<[u8; 32], u32> = HashMap::new();
        for _ in 0..i.below(20) {
            let mut key = [0; 32];
            key[i.below(32)] = i.u8() & 3;
            *map.entry(key).or_insert(0) += 1;
        }
        let keys: HashSet<u8> = map.keys().map(|key| key[0]).collect();
        o.put((map.len(), keys.len(), map.values().sum::<u32>()))
    };
    "VecDeque" => |i, o| {
        let mut queue = VecDeque::new();
        for _ in 0..i.below(40) {
            match i.below(4) {
                0 => o.put(queue.pop_front()),
                1 => queue.push_front(i.u64()),
                2 => o.put(queue.pop_back()),
                _ => queue.push_back(i.u64()),
            }
        }
        queue.into_iter().for_each(|x| o.put(x))
    };
    "sort_unstable of numbers" => |i, o| {
        let mut numbers: Vec<u128> = (0..i.length(150)).map(|_| i.u128()).collect();
        numbers.sort_unstable();
        numbers.into_iter().for_each(|x| o.put(x))
    };
    "sort_unstable of small numbers" => |i, o| {
        let mut numbers: Vec<i16> = (0..i.length(150)).map(|_| i.i16()).collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        numbers.into_iter().for_each(|x| o.put(x))
    };
    "sort_unstable of tuples by key" => |i, o| {
        let mut rows: Vec<(u32, i128, [u8; 12])> = (0..i.below(60)).map(|n| (n as u32, i.i128(), [i.u8(); 12])).collect();
        rows.sort_unstable_by_key(|row| (row.1, row.0));
        for (number, value, bytes) in rows {
            o.put((number, value, bytes));
        }
    };
    // Its buffer on the stack fills a frame to the last byte; with a comparison that captures variables it is refused.
    "sort" => |i, o| {
        let mut numbers: Vec<u64> = (0..i.length(150)).map(|_| i.u64()).collect();
        numbers.sort();
        numbers.into_iter().for_each(|x| o.put(x));
        let mut rows: Vec<(u8, u32)> = (0..i.length(150)).map(|number| (i.u8(), number as u32)).collect();
        rows.sort_by_key(|row| row.0 & 15);
        rows.into_iter().for_each(|row| o.put(row))
    };
    "binary search" => |i, o| {
        let mut numbers: Vec<u64> = (0..i.length(100)).map(|_| i.u64()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        o.put(numbers.binary_search(&i.u64()));
        o.put((numbers.partition_point(|x| *x < 1 << 32), numbers.len()))
    };
    "retain and drain" => |i, o| {
        let mut numbers: Vec<u128> = (0..i.below(80)).map(|_| i.u128()).collect();
        numbers.retain(|x| x % 3 != 0);
        let end = numbers.len().min(i.below(20));
        o.put(numbers.drain(..end).fold(0, |a, b| a ^ b));
        numbers.chunks(3).for_each(|chunk| o.put(chunk.iter().fold(1, |a: u128, b| a.wrapping_mul(*b))))
    };
}
