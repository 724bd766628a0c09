// The exported model: samples in, scores out.

export class Model {
  /**
   * @param ort the onnxruntime-web module
   * @param bytes of the ONNX file
   */
  static async open(ort, bytes) {
    const model = new Model();
    model.ort = ort;
    model.session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
    return model;
  }

  /** The score, in score units, of each sample {x: T × V × 3, frames: T}. */
  async scores(samples, joints) {
    const scores = [];
    for (const { x, frames } of samples) {
      const given = {
        position: new this.ort.Tensor("float32", x, [1, frames, joints, 3]),
        mask: new this.ort.Tensor("bool", new Uint8Array(frames).fill(1), [1, frames]),
      };
      const feeds = Object.fromEntries(this.session.inputNames.map((name) => [name, given[name]]));
      const said = await this.session.run(feeds);
      scores.push(said.score.data[0]);
    }
    return scores;
  }
}
