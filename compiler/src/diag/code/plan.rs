use super::codes;

codes! {
    NOT_ON_TOPOLOGY = "E0901", "not supported on this kind of group",
"The rule is right, but uses something that this version does not carry out on the group's topology. The message
names it. `aplysia explain` shows what would run.

```rule
rule late {
    plastic w;
    on pre after 2 ms { dw += 0.1; }
}
```

Delays are checked, but not yet carried out: write `on pre { … }` instead.";
}
