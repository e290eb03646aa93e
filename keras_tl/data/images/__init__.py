"""Images: headers, decoder, file check, tf.data pipelines, augmentation."""
