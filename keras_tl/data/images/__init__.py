"""Images: headers, the one decoder, the check of files, tf.data pipelines, augmentation."""
