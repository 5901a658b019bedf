package kv4j.inference.schedule;

import java.util.List;
import kv4j.inference.pass.ForwardPass;
import kv4j.inference.pass.ForwardPass.Segment;

/** A running request's share of a pass. */
record Part(Job job, Segment segment) {
  int rows() {
    return segment.rows();
  }

  /** The pass that computes all of them. */
  static ForwardPass pass(List<Part> parts) {
    return new ForwardPass(parts.stream().map(Part::segment).toList());
  }
}
