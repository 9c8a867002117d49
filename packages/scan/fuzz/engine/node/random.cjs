"use strict";
/** sfc32 (https://pracrand.sourceforge.net): equal seeds give equal fuzzing. Math.random is the target's to replace. */
const { imul } = Math;

class Random {
  constructor(seed) {
    this.a = seed | 0;
    this.b = imul(seed, 0x9e3779b1) | 0;
    this.c = 0x2545f491;
    this.d = 1;
    for (let i = 0; i < 12; i++) this.next();
  }

  /** 32 bits, unsigned. */
  next() {
    const t = (((this.a + this.b) | 0) + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + t;
    this.c |= 0;
    return t >>> 0;
  }

  /** 0 … n-1; 0 for n < 1. */
  below(n) {
    return n < 1 ? 0 : this.next() % n;
  }

  /** One time in n. */
  once(n) {
    return this.next() % n === 0;
  }

  of(list) {
    return list[this.next() % list.length];
  }
}

module.exports = { Random };
