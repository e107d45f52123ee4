use std::collections::HashMap;

/// A pool of workers.
#[derive(Debug, Clone)]
pub struct Pool<'a> {
    name: &'a str,
    jobs: HashMap<String, u32>,
}

impl<'a> Pool<'a> {
    /// Makes a pool.
    pub fn new(name: &'a str) -> Self {
        Pool { name, jobs: HashMap::new() }
    }

    pub fn add(&mut self, job: String) {
        let quote = '"';
        *self.jobs.entry(job).or_insert(0) += 1;
        println!("{quote}{}", self.name);
    }
}

fn main() {
    let mut pool = Pool::new("p");
    pool.add("one".to_string());
}
