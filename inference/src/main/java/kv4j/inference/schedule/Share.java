package kv4j.inference.schedule;

import java.util.List;
import kv4j.inference.pass.ForwardPass;
import kv4j.inference.pass.ForwardPass.Segment;

/** A running request's share of a pass. */
record Share(Job job, Segment segment) {
  int rows() {
    return segment.rows();
  }

  /** The pass that computes all of them. */
  static ForwardPass pass(List<Share> shares) {
    return new ForwardPass(shares.stream().map(Share::segment).toList());
  }
}
