//! What the parser takes, what it refuses, and that nothing makes it fall over.
